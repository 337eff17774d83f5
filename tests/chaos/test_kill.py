"""`kill -9` at the worst moments: the job goes on, nothing twice, the ledger exact."""

import asyncio
from collections.abc import Callable
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
    """Every billed call stands in the ledger once, to the micro-dollar.

    What was billed while nobody was alive to hear of it is covered by marked estimates.
    """
    entries, rows = await _ledger(founder), await billed.bill()
    calls = {_name(e): _amount(e) for e in entries if e["kind"] == "call"}
    bill = {_name(row): _amount(row) for row in rows}
    assert calls.items() <= bill.items()
    unheard = [amount for name, amount in bill.items() if name not in calls]
    estimates = [_amount(e) for e in entries if e["kind"] == "estimate"]
    assert len(estimates) >= len(unheard)
    assert sum(estimates) >= sum(unheard)
    assert await billed.refusals() == []


def _name(row: JsonObject) -> str:
    return str(row["provider_request_id"])


def _amount(row: JsonObject) -> int:
    return int(str(row["amount_usd_micros"]))


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


def _at_least(seq: int) -> Callable[[JsonObject], bool]:
    return lambda event: int(str(event["seq"])) >= seq


async def test_killed_again_and_again(tmp_path: Path) -> None:
    def turn(number: int) -> JsonObject:
        file = f"{number}.txt"
        tools = [
            _tool("bash", command=f"echo {number} >> log.txt"),
            _tool("write_file", path=file, content="draft"),
            _tool("edit_file", path=file, old="draft", new="done"),
        ]
        return {"say": f"Step {number}.", "tools": tools, "chunk_delay_s": 0.02}

    count = 10
    script: JsonObject = {"default": [*map(turn, range(count)), {"say": "Done."}]}
    job_id = ""
    async with provider(tmp_path, script) as billed:
        # Each time a little later, so that every kind of step is hit sooner or later.
        for seq in (3, 9, 17, 26, 36):
            async with service(tmp_path / "data", billed.url) as (process, founder):
                job_id = job_id or await founder.create()
                await founder.until(job_id, _at_least(seq))
                await kill(process)
        async with service(tmp_path / "data", billed.url) as (_, founder):
            await founder.until_state(job_id, "completed")
            await _exact(founder, billed)
            events = await founder.history(job_id)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    workspace = tmp_path / "data" / "workspaces" / job_id
    log = (workspace / "log.txt").read_text().split()
    # An interrupted command is never run again behind the model's back.
    assert len(log) == len(set(log)) <= count
    assert {(workspace / f"{n}.txt").read_text() for n in range(count)} == {"done"}
