from dataclasses import replace
from datetime import timedelta

import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.domain.ids import JobId
from cofounder.domain.phases import Phase, PhaseStatus
from cofounder.ports.store import DocumentRow
from tests.contract.store_samples import (
    JOB_ID,
    NOW,
    ODD_TEXT,
    ODD_TEXT_AS_KEPT,
    a_job,
    add_job,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _session(store: SqlStore) -> None:
    await add_job(store)
    await add_job(store, 1)


def a_phase(name: str, status: PhaseStatus = PhaseStatus.PENDING) -> Phase:
    return Phase(
        phase_id=name.lower(), phase_name=name, status=status, started_at=None, completed_at=None
    )


async def test_phases_keep_the_order_in_which_they_were_named(store: SqlStore) -> None:
    design, build, ship = a_phase("Design"), a_phase("Build"), a_phase("Ship")
    async with store.writing() as tx:
        await tx.work.save_phases(JOB_ID, [ship, design])
        await tx.work.save_phases(JOB_ID, [])
        await tx.work.save_phases(a_job(1).job_id, [ship])
    done = replace(
        design,
        phase_name="Designs",
        status=PhaseStatus.COMPLETED,
        started_at=NOW,
        completed_at=NOW + timedelta(microseconds=1),
    )
    async with store.writing() as tx:
        await tx.work.save_phases(JOB_ID, [build, done])
    async with store.reading() as tx:
        assert await tx.work.phases(JOB_ID) == [ship, done, build]
        assert await tx.work.phases(a_job(1).job_id) == [ship]
        assert await tx.work.phases(JobId("job_unknown")) == []


async def test_versions_of_a_document_count_from_one(store: SqlStore) -> None:
    async with store.writing() as tx:
        assert await tx.work.put_document(JOB_ID, "plan", "one", NOW) == 1
        assert await tx.work.put_document(JOB_ID, "plan", "two", NOW) == 2
        assert await tx.work.put_document(JOB_ID, "a note", ODD_TEXT, NOW) == 1
        assert await tx.work.put_document(a_job(1).job_id, "plan", "other", NOW) == 1
    later = NOW + timedelta(microseconds=1)
    async with store.writing() as tx:
        assert await tx.work.put_document(JOB_ID, "plan", "three", later) == 3
    plan = DocumentRow(name="plan", version=3, content="three", updated_at=later)
    note = DocumentRow(name="a note", version=1, content=ODD_TEXT_AS_KEPT, updated_at=NOW)
    async with store.reading() as tx:
        assert await tx.work.document(JOB_ID, "plan") == plan
        assert await tx.work.documents(JOB_ID) == [note, plan]
        assert await tx.work.document(JOB_ID, "unknown") is None
        assert await tx.work.documents(JobId("job_unknown")) == []
