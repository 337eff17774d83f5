"""`kill -9` at the worst moments: the job goes on, nothing twice, the ledger exact."""

import asyncio
from pathlib import Path

import pytest

from cofounder.domain.json_types import JsonObject, JsonValue
from tests.chaos.processes import Provider, kill, provider, service
from tests.e2e.harness import Founder, as_list

pytestmark = pytest.mark.anyio


def _tool(name: str, **fields: JsonValue) -> JsonObject:
    return {"name": name, "input": fields}


async def _appears(path: Path) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(path.exists):
            pass


async def _ledger(founder: Founder) -> list[JsonObject]:
    budget = await founder.get("/api/budget?entries=200")
    return [e for e in as_list(budget["entries"]) if e["kind"] in {"call", "estimate"}]


async def _exact(founder: Founder, billed: Provider) -> None:
    """Every billed call stands in the ledger once; a cut one is covered by an estimate."""
    entries, rows = await _ledger(founder), await billed.bill()
    calls = {
        e["provider_request_id"]: e["amount_usd_micros"] for e in entries if e["kind"] == "call"
    }
    whole = {r["provider_request_id"]: r["amount_usd_micros"] for r in rows if not r["cut"]}
    assert calls == whole
    estimates = [e["amount_usd_micros"] for e in entries if e["kind"] == "estimate"]
    cut = [r["amount_usd_micros"] for r in rows if r["cut"]]
    assert len(estimates) == len(cut)
    assert sum(map(int, map(str, estimates))) >= sum(map(int, map(str, cut)))


async def test_killed_in_the_middle_of_a_tool(tmp_path: Path) -> None:
    command = "echo once >> log.txt; touch started; sleep 30; touch finished"
    script: JsonObject = {
        "default": [
            {
                "tools": [
                    _tool("write_file", path="a.txt", content="a"),
                    _tool("bash", command=command),
                ]
            },
            {"tools": [_tool("bash", command="cat log.txt")]},
            {"say": "Done."},
        ]
    }
    async with provider(tmp_path, script) as billed:
        async with service(tmp_path / "data", billed.url) as (process, founder):
            job_id = await founder.create()
            await _appears(tmp_path / "data" / "workspaces" / job_id / "started")
            await kill(process)
        async with service(tmp_path / "data", billed.url) as (_, founder):
            await founder.until_state(job_id, "completed")
            await _exact(founder, billed)
            events = await founder.history(job_id)
        assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
        tools = [e["tool_summary"] for e in events if e["type"] == "agent.tool.called"]
        assert len(tools) == 3
        assert "interrupted" in str(tools[1])
    workspace = tmp_path / "data" / "workspaces" / job_id
    assert (workspace / "log.txt").read_text() == "once\n"
    assert not (workspace / "finished").exists()


async def test_killed_in_the_middle_of_a_model_call(tmp_path: Path) -> None:
    script: JsonObject = {
        "default": [
            {"tools": [_tool("write_file", path="a.txt", content="a")]},
            {
                "say": "word " * 400,
                "tools": [_tool("bash", command="echo once >> log.txt")],
                "faults": [{"kind": "hang", "after_events": 5}],
            },
            {"say": "Done."},
        ]
    }
    async with provider(tmp_path, script) as billed:
        async with service(tmp_path / "data", billed.url) as (process, founder):
            job_id = await founder.create()
            await founder.until(
                job_id, lambda e: e["type"] == "agent.thinking" and e["iteration"] == 2
            )
            await kill(process)
        async with service(tmp_path / "data", billed.url) as (_, founder):
            await founder.until_state(job_id, "completed")
            await _exact(founder, billed)
    workspace = tmp_path / "data" / "workspaces" / job_id
    assert (workspace / "log.txt").read_text() == "once\n"


async def test_killed_while_asleep_and_woken_when_overdue(tmp_path: Path) -> None:
    script: JsonObject = {
        "default": [
            {"say": "", "faults": [{"kind": "status_429", "retry_after_s": 63}]},
            {"say": "Done."},
        ]
    }
    async with provider(tmp_path, script) as billed:
        async with service(tmp_path / "data", billed.url) as (process, founder):
            job_id = await founder.create()
            asleep = await founder.until_state(job_id, "sleeping")
            await kill(process)
        async with service(tmp_path / "data", billed.url) as (_, founder):
            again = await founder.status(job_id)
            assert again["state"] == "sleeping"
            assert again["wake_at"] == asleep["wake_at"]
            await founder.post(f"/api/jobs/{job_id}/wake")
            await founder.until_state(job_id, "completed")
