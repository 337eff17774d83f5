"""The whole service from outside: real provider, real HTTP, real database."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx2
from pydantic import SecretStr

from cofounder.adapters.auth.token_file import LOCAL_OWNER
from cofounder.bootstrap.service import Running, running
from cofounder.domain.budget import Plan
from cofounder.domain.json_types import JsonObject, JsonValue
from cofounder.domain.schedule import FixedCalendar
from cofounder.settings import isolated_settings
from cofounder.testing.provider import Script, StrictProvider, Turn

PATIENCE_S = 60.0


def as_object(value: JsonValue) -> JsonObject:
    """The value, known to be an object."""
    assert isinstance(value, dict)
    return cast("JsonObject", value)


def as_list(value: JsonValue) -> list[JsonObject]:
    """The value, known to be a list of objects."""
    assert isinstance(value, list)
    return [as_object(item) for item in value]


class Founder:
    """A founder's client: REST and the event stream."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str) -> JsonObject:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return as_object(answer.json())

    async def post(self, path: str, body: JsonObject | None = None) -> JsonObject:
        answer = await self.http.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return as_object(answer.json()) if answer.content else {}

    async def create(self, idea: str = "Build a thing.", **fields: JsonValue) -> str:
        created = await self.post("/api/jobs", {"idea_brief": idea, **fields})
        return str(created["job_id"])

    async def status(self, job_id: str) -> JsonObject:
        return await self.get(f"/api/jobs/{job_id}/status")

    @asynccontextmanager
    async def listening(
        self, job_id: str, after: int = 0
    ) -> AsyncIterator[AsyncIterator[JsonObject]]:
        """The job's events as they come over SSE, from `after` on."""
        path = f"/api/jobs/{job_id}/events/stream?after={after}"
        async with self.http.stream("GET", path, timeout=PATIENCE_S) as answer:
            assert answer.status_code == 200
            yield _events(answer)

    async def until(
        self, job_id: str, met: Callable[[JsonObject], bool], after: int = 0
    ) -> JsonObject:
        """The first event that meets the condition, waiting for it if need be."""
        async with asyncio.timeout(PATIENCE_S), self.listening(job_id, after) as events:
            async for event in events:
                if met(event):
                    return event
        raise AssertionError("the stream ended before it happened")

    async def until_state(self, job_id: str, state: str, after: int = 0) -> JsonObject:
        """Wait until the session has come to that state; returns the status then."""
        await self.until(
            job_id, lambda e: e["type"] == "agent.state_changed" and e["to"] == state, after
        )
        return await self.status(job_id)

    async def history(self, job_id: str) -> list[JsonObject]:
        """All events of the job."""
        return as_list((await self.get(f"/api/jobs/{job_id}/events?limit=1000"))["items"])


async def _events(answer: httpx2.Response) -> AsyncIterator[JsonObject]:
    async for line in answer.aiter_lines():
        if line.startswith("data:"):
            event = as_object(json.loads(line.removeprefix("data:")))
            if "seq" in event:
                yield event


@dataclass(frozen=True, kw_only=True)
class House:
    """A running service, its provider and a client."""

    running: Running
    provider: StrictProvider
    founder: Founder
    data_dir: Path

    async def shorten_days(self, *, day_s: float, day_usd_micros: int) -> None:
        """Budget days of `day_s` seconds from now on."""
        clock = self.running.services.clock
        await self.running.services.budget.set_plan(
            Plan(
                owner_id=LOCAL_OWNER,
                cycle_amount_usd_micros=30 * day_usd_micros,
                calendar=FixedCalendar(anchor=clock.now(), day_s=day_s, days_per_cycle=30),
            )
        )


@asynccontextmanager
async def house(
    data_dir: Path,
    script: Script | Sequence[Turn],
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
) -> AsyncIterator[House]:
    """Start provider and service in this process, on a free port."""
    async with StrictProvider(script) as provider:
        settings = isolated_settings(
            data_dir=data_dir,
            port=0,
            database_url=database_url,
            redis_url=redis_url,
            ANTHROPIC_API_KEY=SecretStr(provider.api_key),
            ANTHROPIC_BASE_URL=provider.base_url,
        )
        async with running(settings) as live:
            headers = {"Authorization": f"Bearer {live.token}"}
            async with httpx2.AsyncClient(base_url=live.url, headers=headers) as http:
                yield House(
                    running=live, provider=provider, founder=Founder(http), data_dir=data_dir
                )
        assert provider.refusals == (), provider.refusals
