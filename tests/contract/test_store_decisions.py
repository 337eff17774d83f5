import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.domain.errors import Answer
from cofounder.domain.escalation import Escalation
from cofounder.domain.ids import EscalationId, JobId, OwnerId
from tests.contract.store_samples import (
    JOB_ID,
    NOW,
    ODD_TEXT,
    ODD_TEXT_AS_KEPT,
    OWNER,
    SESSION_ID,
    add_job,
    an_escalation,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _session(store: SqlStore) -> None:
    await add_job(store)


def an_answer(who: str = "ada") -> Answer:
    return Answer(decision="key", guidance=None, resolved_by=who, resolved_at=NOW)


async def add(store: SqlStore, *escalations: Escalation) -> None:
    async with store.writing() as tx:
        for escalation in escalations:
            await tx.decisions.add(escalation)


async def test_an_escalation_comes_back_to_the_letter(store: SqlStore) -> None:
    answered = replace(an_escalation(1), answer=an_answer(), attempts=(), problem=ODD_TEXT)
    await add(store, an_escalation(), answered)
    async with store.reading() as tx:
        assert await tx.decisions.get(an_escalation().escalation_id) == an_escalation()
        kept = replace(answered, problem=ODD_TEXT_AS_KEPT)
        assert await tx.decisions.get(answered.escalation_id) == kept
        assert await tx.decisions.get(EscalationId("esc_unknown")) is None


async def test_escalations_are_listed_oldest_first(store: SqlStore) -> None:
    newest, oldest = an_escalation(1, at=NOW + timedelta(hours=1)), an_escalation(2)
    twin = an_escalation(0)
    await add(store, newest, oldest, twin)
    in_order = [oldest, twin, newest]
    async with store.reading() as tx:
        assert await tx.decisions.of_job(JOB_ID) == in_order
        assert await tx.decisions.of_owner(OWNER, only_open=False) == in_order
        assert await tx.decisions.of_owner(OWNER, only_open=True) == in_order
        assert await tx.decisions.open_of_session(SESSION_ID) == in_order
        assert await tx.decisions.of_job(JobId("job_unknown")) == []
        assert await tx.decisions.of_owner(OwnerId("own_b"), only_open=False) == []


async def test_an_answered_escalation_is_open_no_more(store: SqlStore) -> None:
    await add(store, an_escalation(0), an_escalation(1))
    async with store.writing() as tx:
        assert await tx.decisions.resolve(an_escalation(0).escalation_id, an_answer())
    answered = replace(an_escalation(0), answer=an_answer())
    async with store.reading() as tx:
        assert await tx.decisions.open_of_session(SESSION_ID) == [an_escalation(1)]
        assert await tx.decisions.of_owner(OWNER, only_open=True) == [an_escalation(1)]
        assert await tx.decisions.of_job(JOB_ID) == [answered, an_escalation(1)]


async def test_the_first_answer_holds(store: SqlStore, store_url: str) -> None:
    await add(store, an_escalation())
    other = SqlStore(store_url)

    async def resolve(number: int) -> bool:
        async with (store, other)[number % 2].writing() as tx:
            answer = an_answer(f"person {number}")
            return await tx.decisions.resolve(an_escalation().escalation_id, answer)

    results = await asyncio.gather(*(resolve(number) for number in range(8)))
    assert sorted(results) == [False] * 7 + [True]
    winner = results.index(True)
    async with store.reading() as tx:
        kept = await tx.decisions.get(an_escalation().escalation_id)
    assert kept is not None
    assert kept.answer == an_answer(f"person {winner}")
    await other.close()


async def test_what_was_never_asked_cannot_be_answered(store: SqlStore) -> None:
    async with store.writing() as tx:
        assert not await tx.decisions.resolve(EscalationId("esc_unknown"), an_answer())
