from dataclasses import fields, replace
from datetime import timedelta, timezone

import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.adapters.sql.tables import sessions
from cofounder.domain.errors import ConflictError, NotFoundError
from cofounder.domain.ids import JobId, OwnerId, SessionId
from cofounder.domain.session import Session, SessionState
from tests.contract.store_samples import (
    JOB_ID,
    NOW,
    ODD_TEXT,
    ODD_TEXT_AS_KEPT,
    OWNER,
    SESSION_ID,
    a_job,
    a_session,
    add_job,
)

pytestmark = pytest.mark.anyio

OTHER = OwnerId("own_b")


async def test_a_job_comes_back_as_it_was(store: SqlStore) -> None:
    plain = replace(a_job(1), understanding_qna=(), build_plan=None)
    odd = replace(a_job(2), idea_brief=ODD_TEXT)
    async with store.writing() as tx:
        for job in (a_job(), plain, odd):
            await tx.jobs.add(job, idempotency_key=None, request_hash="hash")
    async with store.reading() as tx:
        assert await tx.jobs.get(JOB_ID) == a_job()
        assert await tx.jobs.get(plain.job_id) == plain
        assert await tx.jobs.get(odd.job_id) == replace(odd, idea_brief=ODD_TEXT_AS_KEPT)
        assert await tx.jobs.get(JobId("job_unknown")) is None


async def test_an_instant_is_kept_exactly_and_read_in_utc(store: SqlStore) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    async with store.writing() as tx:
        job = replace(a_job(), created_at=elsewhere)
        await tx.jobs.add(job, idempotency_key=None, request_hash="hash")
    async with store.reading() as tx:
        kept = await tx.jobs.get(JOB_ID)
    assert kept is not None
    assert kept.created_at == NOW
    assert kept.created_at.isoformat() == "2026-03-01T12:30:15.123456+00:00"


async def test_a_naive_instant_is_refused(store: SqlStore) -> None:
    naive = replace(a_job(), created_at=NOW.replace(tzinfo=None))
    with pytest.raises(Exception, match="offset-naive"):
        async with store.writing() as tx:
            await tx.jobs.add(naive, idempotency_key=None, request_hash="hash")


async def test_a_key_finds_the_job_of_its_owner(store: SqlStore) -> None:
    async with store.writing() as tx:
        await tx.jobs.add(a_job(1), idempotency_key="key", request_hash="one")
        await tx.jobs.add(a_job(2, owner_id=OTHER), idempotency_key="key", request_hash="two")
    async with store.reading() as tx:
        assert await tx.jobs.by_idempotency_key(OWNER, "key") == (a_job(1), "one")
        assert await tx.jobs.by_idempotency_key(OTHER, "key") == (a_job(2, owner_id=OTHER), "two")
        assert await tx.jobs.by_idempotency_key(OWNER, "other") is None


async def test_a_key_is_used_once(store: SqlStore) -> None:
    async with store.writing() as tx:
        await tx.jobs.add(a_job(1), idempotency_key="key", request_hash="one")
    with pytest.raises(ConflictError):
        async with store.writing() as tx:
            await tx.jobs.add(a_job(2), idempotency_key="key", request_hash="one")
    async with store.reading() as tx:
        assert await tx.jobs.get(a_job(2).job_id) is None


async def test_pages_go_from_the_newest_to_the_oldest_job(store: SqlStore) -> None:
    twins = [replace(a_job(7), job_id=JobId(f"job_twin_{n}")) for n in range(3)]
    jobs = [*(a_job(n) for n in range(5)), *twins]
    async with store.writing() as tx:
        for job in [*jobs, a_job(9, owner_id=OTHER)]:
            await tx.jobs.add(job, idempotency_key=None, request_hash="hash")
    seen: list[JobId] = []
    async with store.reading() as tx:
        while page := await tx.jobs.page(OWNER, before=seen[-1] if seen else None, limit=3):
            seen += [job.job_id for job in page]
        assert await tx.jobs.page(OWNER, before=JobId("job_unknown"), limit=3) == []
    in_order = sorted(jobs, key=lambda job: (job.created_at, job.job_id), reverse=True)
    assert seen == [job.job_id for job in in_order]


def a_full_session() -> Session:
    return replace(
        a_session(),
        state=SessionState.SLEEPING,
        turn=7,
        fence=6,
        iteration=5,
        tool_calls=4,
        message_count=12,
        budget_pct=93,
        wake_at=NOW,
        sleep_reason="budget",
        wind_down_left=0,
        current_phase="Shop",
        needs_usd_micros=7_000_000_000_000,
        barren_starts=1,
        problem="none yet",
    )


def test_a_session_has_a_column_for_each_field() -> None:
    assert {column.name for column in sessions.columns} == {f.name for f in fields(Session)}


async def test_a_session_comes_back_as_it_was_saved(store: SqlStore) -> None:
    await add_job(store)
    full = a_full_session()
    assert all(
        getattr(full, f.name) != getattr(a_session(), f.name)
        for f in fields(Session)
        if not f.name.endswith("_id")
    )
    async with store.writing() as tx:
        assert await tx.sessions.lock(SESSION_ID) == a_session()
        await tx.sessions.save(full)
        assert await tx.sessions.get(SESSION_ID) == full
    async with store.writing() as tx:
        assert await tx.sessions.lock(SESSION_ID) == full
        await tx.sessions.save(a_session())
    async with store.reading() as tx:
        assert await tx.sessions.get(SESSION_ID) == a_session()


async def test_a_session_can_be_saved_several_times_in_a_transaction(store: SqlStore) -> None:
    await add_job(store)
    steps = [a_full_session(), replace(a_full_session(), wake_at=None), a_session(), a_session()]
    async with store.writing() as tx:
        await tx.sessions.save(a_full_session())
        await tx.sessions.lock(SESSION_ID)
        for step in steps:
            await tx.sessions.save(step)
            assert await tx.sessions.get(SESSION_ID) == step
    async with store.reading() as tx:
        assert await tx.sessions.get(SESSION_ID) == a_session()


async def test_a_session_that_is_not_there(store: SqlStore) -> None:
    async with store.writing() as tx:
        assert await tx.sessions.get(SessionId("ses_unknown")) is None
        assert await tx.sessions.lock(SessionId("ses_unknown")) is None
    with pytest.raises(NotFoundError):
        async with store.writing() as tx:
            await tx.sessions.save(a_session())


async def test_a_session_belongs_to_a_job(store: SqlStore) -> None:
    with pytest.raises(ConflictError):
        async with store.writing() as tx:
            await tx.sessions.add(a_session())


async def test_sessions_are_found_by_owner_and_state(store: SqlStore) -> None:
    for number in (3, 1, 2):
        await add_job(store, number)
    await add_job(store, 4, owner_id=OTHER)
    async with store.writing() as tx:
        for number in (2, 3, 4):
            owner = OTHER if number == 4 else OWNER
            session = a_session(number, owner_id=owner)
            await tx.sessions.save(replace(session, state=SessionState.SLEEPING))
    states = {SessionState.SLEEPING, SessionState.BUDGET_EXCEEDED}
    async with store.writing() as tx:
        mine = await tx.sessions.lock_of_owner(OWNER, states)
        everybodys = await tx.sessions.in_states(states)
        assert await tx.sessions.in_states(()) == []
    assert [session.session_id for session in mine] == ["ses_a_2", "ses_a_3"]
    assert {session.session_id for session in everybodys} == {"ses_a_2", "ses_a_3", "ses_a_4"}
