"""The demo: the real service with a scripted model behind a real HTTP endpoint.

The day is shortened to seconds and the allowance to cents, so that a whole life of the
agent (work, question, sleep, wake, finish) passes while one watches.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from cofounder.adapters.auth.token_file import LOCAL_OWNER
from cofounder.bootstrap.service import Running, running
from cofounder.domain.budget import Plan
from cofounder.domain.ids import JobId
from cofounder.domain.schedule import FixedCalendar
from cofounder.services.jobs import JobRequest
from cofounder.settings import isolated_settings
from cofounder.testing.provider import StrictProvider
from cofounder.testing.story import IDEA, PLAN, QNA, story

DAY_S = 28.0
DAYS_PER_CYCLE = 30
DAY_USD_MICROS = 180_000


@dataclass(frozen=True, kw_only=True)
class DemoRun:
    """The demo while it runs."""

    running: Running
    job_id: JobId
    workspace: Path
    provider: StrictProvider


@asynccontextmanager
async def demo(*, port: int, data_dir: Path) -> AsyncIterator[DemoRun]:
    """Start provider and service, shorten the day, and give the agent its job."""
    async with StrictProvider(story()) as provider:
        # Nothing of the founder's own set-up is touched: neither database nor Redis.
        settings = isolated_settings(
            data_dir=data_dir,
            port=port,
            ANTHROPIC_API_KEY=SecretStr(provider.api_key),
            ANTHROPIC_BASE_URL=provider.base_url,
        )
        async with running(settings) as live:
            services = live.services
            calendar = FixedCalendar(
                anchor=services.clock.now(), day_s=DAY_S, days_per_cycle=DAYS_PER_CYCLE
            )
            await services.budget.set_plan(
                Plan(
                    owner_id=LOCAL_OWNER,
                    cycle_amount_usd_micros=DAYS_PER_CYCLE * DAY_USD_MICROS,
                    calendar=calendar,
                )
            )
            view = await services.jobs.create(
                LOCAL_OWNER,
                JobRequest(idea_brief=IDEA, understanding_qna=QNA, build_plan=PLAN),
            )
            job_id = view.job.job_id
            workspace = live.data_dir.workspaces / job_id
            yield DemoRun(running=live, job_id=job_id, workspace=workspace, provider=provider)
