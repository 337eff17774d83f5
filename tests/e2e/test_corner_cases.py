"""A founder who acts at the wrong moment."""

import asyncio
from pathlib import Path

import pytest
from pydantic import JsonValue

from cofounder.testing.provider import Script, ToolCall, Turn, Unauthorized401
from tests.e2e.harness import House, as_list, house

pytestmark = pytest.mark.anyio

LONG = ToolCall("bash", {"command": "touch begun; sleep 60; touch ended"})
OPTIONS: list[JsonValue] = [
    {"id": "yes", "label": "Yes", "description": "Do it."},
    {"id": "no", "label": "No", "description": "Do not."},
]
ASK = ToolCall("ask_founder", {"problem": "May I?", "options": OPTIONS, "recommended": "yes"})


async def _begun(home: House, job_id: str) -> None:
    """Until the long command runs."""
    path = home.data_dir / "workspaces" / job_id / "begun"
    async with asyncio.timeout(20):
        while not path.exists():
            await home.founder.status(job_id)


async def test_a_cancelled_job_asks_nothing_any_more(tmp_path: Path) -> None:
    async with house(tmp_path, [Turn(tools=(LONG, ASK))]) as home:
        job_id = await home.founder.create()
        await _begun(home, job_id)
        await home.founder.post(f"/api/jobs/{job_id}/cancel")
        await home.founder.until(job_id, lambda e: e.get("tool_name") == "ask_founder")
        status = await home.founder.status(job_id)
        assert status["state"] == "cancelled"
        assert status["pending_escalations"] == []


async def test_stop_ends_at_once_what_runs_beside_the_open_question(tmp_path: Path) -> None:
    turns = [Turn(say="", faults=(Unauthorized401(),), tools=(LONG,)), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        asked = as_list(status["pending_escalations"])[0]
        await home.founder.post(f"/api/jobs/{job_id}/messages", {"text": "Try again."})
        await _begun(home, job_id)
        path = f"/api/escalations/{asked['escalation_id']}/resolve"
        await home.founder.post(path, {"decision": "stop_job"})
        async with asyncio.timeout(20):
            called = await home.founder.until(job_id, lambda e: e["type"] == "agent.tool.called")
        assert called["is_error"]
        assert (await home.founder.status(job_id))["state"] == "cancelled"
        assert not (home.data_dir / "workspaces" / job_id / "ended").exists()


async def test_a_pause_keeps_the_result_and_the_message_for_later(tmp_path: Path) -> None:
    """Tool calls are left over, and the inbox has something, when it goes on."""
    short = ToolCall("bash", {"command": "touch begun; sleep 2; echo finished"})
    after = ToolCall("bash", {"command": "echo after >> log.txt"})
    turns = [Turn(tools=(short, after, ASK)), Turn(say="I wait."), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await _begun(home, job_id)
        await home.founder.post(f"/api/jobs/{job_id}/pause")
        await home.founder.post(f"/api/jobs/{job_id}/messages", {"text": "Make it green."})
        await home.founder.post(f"/api/jobs/{job_id}/resume")
        status = await home.founder.until_state(job_id, "waiting_for_input")
        view = home.provider.views[1]
        assert [r.is_error for r in view.tool_results] == [False, False, False]
        assert "finished" in view.tool_results[0].text
        assert "Make it green." in "".join(view.user_texts)
        await home.founder.post(f"/api/jobs/{job_id}/pause")
        (asked,) = as_list(status["pending_escalations"])
        path = f"/api/escalations/{asked['escalation_id']}/resolve"
        await home.founder.post(path, {"decision": "yes", "guidance": "Gladly."})
        assert (await home.founder.status(job_id))["state"] == "paused"
        await home.founder.post(f"/api/jobs/{job_id}/resume")
        await home.founder.until_state(job_id, "completed")
        told = [text for text in home.provider.views[-1].user_texts if "Gladly." in text]
        assert len(told) == 1
    assert (tmp_path / "workspaces" / job_id / "log.txt").read_text() == "after\n"
