"""What goes wrong with models and tools, and what the founder sees of it."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from cofounder.domain.transcript import StopReason, ToolResultBlock
from cofounder.testing.provider import (
    Cut,
    Fault,
    InStreamError,
    Overloaded529,
    RequestView,
    Script,
    SilentEnd,
    Status429,
    ToolCall,
    Turn,
    Unauthorized401,
)
from tests.e2e.harness import House, as_list, house

pytestmark = pytest.mark.anyio


def _bash(command: str, goal: str = "") -> ToolCall:
    return ToolCall("bash", {"command": command, "goal": goal})


async def _exact(home: House) -> None:
    """The ledger holds what was billed, call by call; cut calls are covered by estimates."""
    budget = await home.founder.get("/api/budget?entries=200")
    entries = as_list(budget["entries"])
    calls = {
        e["provider_request_id"]: e["amount_usd_micros"]
        for e in entries
        if e["kind"] == "call" and e["amount_usd_micros"]
    }
    bill = home.provider.bill
    assert calls == {r.provider_request_id: r.amount_usd_micros for r in bill if not r.cut}
    estimated = sum(int(str(e["amount_usd_micros"])) for e in entries if e["kind"] == "estimate")
    cut = [row.amount_usd_micros for row in bill if row.cut]
    assert estimated >= sum(cut)
    assert len([e for e in entries if e["kind"] == "estimate"]) == len(cut)


@pytest.mark.parametrize(
    "fault",
    [
        Status429(retry_after_s=1),
        Overloaded529(),
        InStreamError(after_events=4),
        Cut(after_events=0),
        Cut(after_events=6),
        SilentEnd(after_events=6),
    ],
    ids=lambda fault: f"{fault.kind}",
)
async def test_a_failed_call_is_retried_in_sight_and_paid_once(
    tmp_path: Path, fault: Fault
) -> None:
    turns = [
        Turn(tools=(_bash("echo one >> log.txt"),)),
        Turn(say="I go on.", tools=(_bash("echo two >> log.txt"),), faults=(fault,)),
        Turn(say="Done."),
    ]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await home.founder.until_state(job_id, "completed")
        retried = [e for e in await home.founder.history(job_id) if e["type"] == "agent.retrying"]
        assert len(retried) == 1
        assert retried[0]["attempt"] == 1
        await _exact(home)
    log = tmp_path / "workspaces" / job_id / "log.txt"
    assert log.read_text() == "one\ntwo\n"


async def test_a_refused_key_asks_the_founder_at_once(tmp_path: Path) -> None:
    turns = [Turn(say="Done.", faults=(Unauthorized401(),)), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        asked = as_list(status["pending_escalations"])[0]
        assert "key" in str(asked["problem"])
        path = f"/api/escalations/{asked['escalation_id']}/resolve"
        await home.founder.post(path, {"decision": "fixed"})
        await home.founder.until_state(job_id, "completed")


async def test_stop_ends_the_job(tmp_path: Path) -> None:
    async with house(tmp_path, [Turn(say="", faults=(Unauthorized401(),))]) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        asked = as_list(status["pending_escalations"])[0]
        await home.founder.post(
            f"/api/escalations/{asked['escalation_id']}/resolve", {"decision": "stop_job"}
        )
        assert (await home.founder.status(job_id))["state"] == "cancelled"


async def test_nothing_of_a_reply_at_its_limit_is_run(tmp_path: Path) -> None:
    turns = [
        Turn(tools=(_bash("touch never"),), stop_reason=StopReason.MAX_TOKENS),
        Turn(tools=(_bash("touch once"),)),
        Turn(say="Done."),
    ]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await home.founder.until_state(job_id, "completed")
        assert any("token limit" in text for text in home.provider.views[1].user_texts)
    workspace = tmp_path / "workspaces" / job_id
    assert not (workspace / "never").exists()
    assert (workspace / "once").exists()


async def test_silence_is_answered_and_then_taken_to_the_founder(tmp_path: Path) -> None:
    async with house(tmp_path, Script(default=lambda _: Turn())) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        assert "empty replies" in str(as_list(status["pending_escalations"])[0]["problem"])
        assert len(home.provider.bill) == 3


async def test_three_different_approaches_and_then_the_founder(tmp_path: Path) -> None:
    commands = ["cat missing-1.txt || false", "ls nowhere", "head -c1 gone"]
    turns = [Turn(tools=(_bash(command, "find the text"),)) for command in commands]
    turns = [turns[0], turns[0], *turns[1:], Turn(say="I wait."), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        asked = as_list(status["pending_escalations"])
        assert len(asked) == 1
        attempts = as_list(asked[0]["attempts"])
        assert [a["approach"] for a in attempts] == commands
        assert all("No such file" in str(a["result"]) for a in attempts)


async def test_the_same_step_again_and_again_is_seen(tmp_path: Path) -> None:
    async with house(tmp_path, Script(default=lambda _: Turn(tools=(_bash("echo same"),)))) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        assert "repeats" in str(as_list(status["pending_escalations"])[0]["problem"])
        assert len(home.provider.bill) == 4
        assert any("different approach" in t for t in home.provider.views[-1].user_texts)


async def test_waiting_for_something_that_changes_is_no_circle(tmp_path: Path) -> None:
    def poll(view: RequestView) -> Turn:
        if view.assistant_count == 8:
            return Turn(say="Done.")
        return Turn(tools=(_bash("echo x >> log.txt; wc -l < log.txt"),))

    async with house(tmp_path, Script(default=poll)) as home:
        job_id = await home.founder.create()
        done = await home.founder.until_state(job_id, "completed")
        assert done["pending_escalations"] == []


async def test_the_cap_on_tool_calls_can_be_raised(tmp_path: Path) -> None:
    turns = [Turn(tools=(_bash(f"echo {n}"),)) for n in range(5)]
    async with house(tmp_path, Script(default=[*turns, Turn(say="Done.")])) as home:
        job_id = await home.founder.create(max_tool_calls=3)
        status = await home.founder.until_state(job_id, "waiting_for_input")
        assert status["tool_calls"] == 3
        asked = as_list(status["pending_escalations"])[0]
        await home.founder.post(
            f"/api/escalations/{asked['escalation_id']}/resolve", {"decision": "raise"}
        )
        done = await home.founder.until_state(job_id, "completed")
        assert done["tool_calls"] == 5


async def test_a_large_result_is_cut_in_the_middle_and_kept_whole(tmp_path: Path) -> None:
    turns = [Turn(tools=(_bash("seq 1 20000"),)), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await home.founder.until_state(job_id, "completed")
        (result,) = home.provider.views[-1].tool_results
    assert isinstance(result, ToolResultBlock)
    assert len(result.text) < 31_000
    assert result.text.startswith("1\n2\n")
    assert result.text.endswith("20000\n[exit 0]")
    (kept,) = (tmp_path / "workspaces" / job_id / ".cofounder" / "outputs").iterdir()
    assert kept.name in result.text
    assert kept.read_text().count("\n") == 20_000


async def test_wrong_tool_input_is_an_answer_and_no_end(tmp_path: Path) -> None:
    turns = [
        Turn(
            tools=(
                ToolCall("read_file", {"path": "../../etc/passwd"}),
                ToolCall("write_file", {"path": "a.txt"}),
                ToolCall("edit_file", {"path": "none.txt", "old": "a", "new": "b"}),
            )
        ),
        Turn(say="Done."),
    ]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await home.founder.until_state(job_id, "completed")
        results = home.provider.views[-1].tool_results
    assert [result.is_error for result in results] == [True, True, True]
    assert "content" in results[1].text


async def test_a_message_reaches_the_agent_once(tmp_path: Path) -> None:
    turns = [Turn(tools=(_bash("sleep 1"),)), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await home.founder.until(job_id, lambda e: e["type"] == "agent.budget_updated")
        await home.founder.post(f"/api/jobs/{job_id}/messages", {"text": "Make it green."})
        await home.founder.until_state(job_id, "completed")
        texts = [t for m in home.provider.views[-1].messages for t in [m.text]]
        assert sum(text.count("Make it green.") for text in texts) == 1


async def test_cancel_kills_what_runs(tmp_path: Path) -> None:
    turns = [Turn(tools=(_bash("touch begun; sleep 60; touch ended"),)), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        await home.founder.until(job_id, lambda e: e["type"] == "agent.budget_updated")
        cancelled = await home.founder.post(f"/api/jobs/{job_id}/cancel")
        assert cancelled["state"] == "cancelled"
        event = await home.founder.until(job_id, lambda e: e["type"] == "agent.tool.called")
        assert float(str(event["duration"])) < 30
        again = await home.founder.post(f"/api/jobs/{job_id}/cancel")
        assert again["state"] == "cancelled"
    assert not (tmp_path / "workspaces" / job_id / "ended").exists()


async def test_asking_twice_is_one_question_and_too_many_pause_the_build(tmp_path: Path) -> None:
    def ask(text: str) -> ToolCall:
        options: list[JsonValue] = [
            {"id": "yes", "label": "Yes", "description": "Do it."},
            {"id": "no", "label": "No", "description": "Do not."},
        ]
        return ToolCall("ask_founder", {"problem": text, "options": options, "recommended": "yes"})

    turns = [
        Turn(tools=(ask("May I?"), ask("May  I?"))),
        Turn(tools=(ask("And this?"), ask("And that?"), ask("And those?"))),
        Turn(say="Never reached before an answer."),
    ]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        assert len(as_list(status["pending_escalations"])) == 4
        types = [e["type"] for e in await home.founder.history(job_id)]
        assert types.count("agent.waiting_for_input") == 4
        assert types.count("agent.build_paused") == 1
        assert len(home.provider.bill) == 2


async def test_a_graceful_stop_ends_after_the_iteration_and_the_next_start_goes_on(
    tmp_path: Path,
) -> None:
    turns = [Turn(tools=(_bash(f"echo {n} >> log.txt"),), delay_s=0.3) for n in range(4)]
    script = Script(default=[*turns, Turn(say="Done.")])
    async with house(tmp_path, script) as home:
        job_id = await home.founder.create()
        await home.founder.until(job_id, lambda e: e["type"] == "agent.tool.called")
    async with house(tmp_path, script) as home:
        await home.founder.until_state(job_id, "completed")
        events = await home.founder.history(job_id)
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    log = tmp_path / "workspaces" / job_id / "log.txt"
    assert log.read_text() == "0\n1\n2\n3\n"
