"""The demo's story, to its end, and what it leaves behind."""

from pathlib import Path

import pytest

from cofounder.adapters.auth.token_file import LOCAL_OWNER
from cofounder.adapters.sandbox import open_sandbox
from cofounder.bootstrap.demo import demo
from cofounder.domain.events.agent import StateChanged
from cofounder.domain.ids import JobId
from cofounder.domain.session import SessionState
from cofounder.ports.sandbox import Command
from cofounder.services.bundle import Services
from cofounder.testing.story import FILES

pytestmark = pytest.mark.anyio


async def test_the_story_is_told_to_its_end(tmp_path: Path) -> None:
    async with demo(port=0, data_dir=tmp_path) as run:
        services = run.running.services
        states = await _follow(services, run.job_id)
        spent = (await services.jobs.status(LOCAL_OWNER, run.job_id)).spent_usd_micros
        assert spent == sum(row.amount_usd_micros for row in run.provider.bill)
        assert run.provider.refusals == ()
    assert states[-1] is SessionState.COMPLETED
    assert states.count(SessionState.SLEEPING) == 1
    assert states.count(SessionState.WAITING_FOR_INPUT) == 1
    assert {path.name for path in run.workspace.iterdir()} >= set(FILES)
    sandbox = await open_sandbox("auto", tmp_path / "workspaces")
    workspace = await sandbox.open(run.job_id)
    result = await workspace.run(Command(argv=("python3", "-m", "unittest")))
    assert result.exit_code == 0, result.output.decode()
    await sandbox.close()


async def _follow(services: Services, job_id: JobId) -> list[SessionState]:
    """Answer the question when it comes; the states that were passed through."""
    states: list[SessionState] = []
    seen = 0
    async with services.bus.subscribe(job_id) as items:
        while not (states and states[-1] is SessionState.COMPLETED):
            for stored in await services.jobs.events(LOCAL_OWNER, job_id, after=seen, limit=1000):
                seen = stored.event.seq
                if isinstance(stored.event, StateChanged):
                    states.append(stored.event.to_state)
                    if states[-1] is SessionState.WAITING_FOR_INPUT:
                        await _answer(services)
            if not (states and states[-1] is SessionState.COMPLETED):
                await anext(items)
    return states


async def _answer(services: Services) -> None:
    for asked in await services.escalations.of_owner(LOCAL_OWNER, only_open=True):
        await services.escalations.resolve(
            LOCAL_OWNER, asked.escalation_id, decision="payer", guidance=None
        )
