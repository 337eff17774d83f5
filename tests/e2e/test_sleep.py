"""Sleep and wake: durable, early, refused, and never against a person's pause."""

from pathlib import Path

import pytest

from cofounder.testing.provider import RequestView, Script, Status429, ToolCall, Turn
from tests.e2e.harness import as_list, house

pytestmark = pytest.mark.anyio

HANDOVER = ToolCall("document", {"name": "handover", "content": "Next: the rest."})


def spender(view: RequestView) -> Turn:
    """Spends until it is told to wind down, hands over, and finishes after a sleep."""
    texts = "\n".join(message.text for message in view.messages)
    if "You slept and are awake again" in texts:
        return Turn(say="All done.")
    if "of today's budget is used" not in texts:
        step = str(view.assistant_count)
        phase = {"text": "I build.", "phase_name": "Build"}
        return Turn(
            think="I think about it at length. " * 100,
            tools=(ToolCall("narrate", phase), ToolCall("glob", {"pattern": step})),
        )
    if "Kept handover" not in view.tool_results[0].text:
        return Turn(tools=(HANDOVER,))
    return Turn(say="Handed over.")


async def test_it_winds_down_sleeps_and_wakes_by_itself(tmp_path: Path) -> None:
    async with house(tmp_path, Script(default=spender)) as home:
        await home.shorten_days(day_s=6, day_usd_micros=120_000)
        job_id = await home.founder.create()
        asleep = await home.founder.until_state(job_id, "sleeping")
        assert asleep["wake_at"] is not None
        done = await home.founder.until_state(job_id, "completed")
        assert done["wake_at"] is None
        types = [event["type"] for event in await home.founder.history(job_id)]
        assert types.count("agent.sleeping") == types.count("agent.waking") == 1
        awake = home.provider.views[-1].user_texts
        assert "Next: the rest." in "\n".join(awake)


async def test_a_top_up_wakes_at_once_and_a_wake_without_money_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, Script(default=spender)) as home:
        await home.shorten_days(day_s=3600, day_usd_micros=120_000)
        job_id = await home.founder.create()
        asleep = await home.founder.until_state(job_id, "sleeping")
        refused = await home.founder.http.post(f"/api/jobs/{job_id}/wake")
        assert refused.status_code == 409
        assert refused.json()["code"] == "budget_exceeded"
        assert "top-up" in refused.json()["cure"]
        await home.founder.post("/api/budget/top-up", {"amount_usd_micros": 500_000})
        done = await home.founder.until_state(job_id, "completed")
        assert done["last_seq"] != asleep["last_seq"]


async def test_a_pause_outlasts_the_refresh(tmp_path: Path) -> None:
    async with house(tmp_path, Script(default=spender)) as home:
        await home.shorten_days(day_s=6, day_usd_micros=120_000)
        job_id = await home.founder.create()
        await home.founder.until_state(job_id, "sleeping")
        await home.founder.post(f"/api/jobs/{job_id}/pause")
        other = await home.founder.create("Another one.")
        # Another job that lives through the same refresh proves that it has passed.
        await home.founder.until(other, lambda e: e["type"] in {"agent.waking", "agent.completed"})
        assert (await home.founder.status(job_id))["state"] == "paused"
        await home.founder.post(f"/api/jobs/{job_id}/resume")
        await home.founder.until_state(job_id, "completed")


async def test_retry_later_of_the_provider_is_a_sleep_with_wake_at(tmp_path: Path) -> None:
    turns = [Turn(say="", faults=(Status429(retry_after_s=7200),)), Turn(say="Done.")]
    async with house(tmp_path, Script(default=turns)) as home:
        job_id = await home.founder.create()
        asleep = await home.founder.until_state(job_id, "sleeping")
        assert asleep["sleep_reason"] == "provider"
        assert asleep["wake_at"] is not None
        await home.founder.post(f"/api/jobs/{job_id}/wake")
        await home.founder.until_state(job_id, "completed")


async def test_a_day_that_never_pays_for_a_step_is_taken_to_the_founder(tmp_path: Path) -> None:
    async with house(tmp_path, [Turn(say="Done."), Turn(say="Done.")]) as home:
        await home.shorten_days(day_s=3600, day_usd_micros=1_000)
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        asked = as_list(status["pending_escalations"])[0]
        assert "One step may cost" in str(asked["problem"])
        assert home.provider.bill == ()
        await home.shorten_days(day_s=3600, day_usd_micros=1_000_000)
        path = f"/api/escalations/{asked['escalation_id']}/resolve"
        await home.founder.post(path, {"decision": "funded"})
        await home.founder.until_state(job_id, "completed")
