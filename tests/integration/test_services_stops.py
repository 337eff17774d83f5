"""Stopping: what a cancel, a stop and a crash leave behind."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from cofounder.adapters.sql.tables import messages
from cofounder.domain.ids import JobId, SessionId
from cofounder.domain.transcript import StopReason, ToolResultBlock, paired
from cofounder.testing.prices import FlatPrices
from cofounder.testing.provider import RequestView, Status429, ToolCall, Turn
from tests.integration.services_rig import OWNER, Rig, rig

pytestmark = pytest.mark.anyio

OPTIONS: list[JsonValue] = [
    {"id": "yes", "label": "Yes", "description": "Do it."},
    {"id": "no", "label": "No", "description": "Do not."},
]
NARRATE = ToolCall("narrate", {"text": "I build.", "phase_name": "Build"})


async def test_a_crash_and_a_cancel_give_the_reservation_back(sqlite_store_url: str) -> None:
    async with rig(sqlite_store_url, [Turn(say="Never heard.")]) as home:
        job_id = await home.create()
        await _crash_while_thinking(home)
        reserved = await home.reserved()
        assert reserved > 0
        await home.sessions.cancel(OWNER, job_id)
        # What a restart does: the interrupted dispatch comes again.
        await home.turns.advance((await home.session(job_id)).session_id, 1)
        assert await home.reserved() == 0
        report = await home.context.budget.report(OWNER)
        assert [e.amount_usd_micros for e in report.entries] == [reserved]


async def test_a_lost_call_is_settled_when_its_price_is_gone(sqlite_store_url: str) -> None:
    priced = ["some-model"]
    prices = FlatPrices(models=priced)
    async with rig(sqlite_store_url, [Turn(say="Never heard.")], prices=prices) as home:
        job_id = await home.create()
        await _crash_while_thinking(home)
        # The operator takes the model from the price list before the next start.
        priced[:] = ["another-model"]
        await home.turns.advance(SessionId(job_id), 1)
        assert await home.state(job_id) == "error"
        assert "No price" in str((await home.session(job_id)).problem)
        assert await home.reserved() == 0


async def test_a_turn_that_cannot_begin_ends_in_sight(sqlite_store_url: str) -> None:
    async with rig(sqlite_store_url, [Turn(say="Never heard.")]) as home:
        job_id = await home.create()
        await _crash_while_thinking(home)
        async with home.store.writing() as tx:
            await tx.connection.change(sa.update(messages).values(blocks="damaged"))
        await home.turns.advance(SessionId(job_id), 1)
        assert await home.state(job_id) == "error"
        assert "agent.failed" in [e.type for e in await home.events(job_id)]


async def test_a_provider_that_asks_for_an_age_is_asked_again(sqlite_store_url: str) -> None:
    async with rig(
        sqlite_store_url, [Turn(say="Done.", faults=(Status429(retry_after_s=1e15),))]
    ) as home:
        job_id = await home.create()
        await home.run()
        assert await home.state(job_id) == "sleeping"


async def test_a_resumed_turn_waits_for_the_one_before_whoever_waits_with_it(
    sqlite_store_url: str,
) -> None:
    async with rig(sqlite_store_url, lambda _: Turn(say="Done.")) as home:
        job_id = await home.create()
        begun = [asyncio.Event() for _ in range(2)]
        end = [asyncio.Event() for _ in range(2)]

        async def hang(number: int) -> None:
            begun[number].set()
            await end[number].wait()

        home.model.hooks = {1: lambda: hang(0), 2: lambda: hang(1)}
        first = asyncio.create_task(home.turns.advance(SessionId(job_id), 1))
        await begun[0].wait()
        second = await _paused_and_resumed(home, job_id)
        end[0].set()
        await begun[1].wait()
        third = await _paused_and_resumed(home, job_id)
        done, _ = await asyncio.wait({third}, timeout=0.5)
        assert not done
        assert await home.state(job_id) == "queued"
        end[1].set()
        await asyncio.gather(first, second, third)
        assert paired(await home.messages(job_id))


async def _paused_and_resumed(home: Rig, job_id: JobId) -> "asyncio.Task[None]":
    """The dispatch of the next turn, waiting for its predecessor."""
    await home.sessions.pause(OWNER, job_id)
    turn = (await home.sessions.resume(OWNER, job_id)).turn
    task = asyncio.create_task(home.turns.advance(SessionId(job_id), turn))
    await home.clock.advance(0)
    return task


async def test_replies_that_are_cut_again_and_again_are_seen(sqlite_store_url: str) -> None:
    def cut(view: RequestView) -> Turn:
        return Turn(say=f"Try {view.assistant_count}.", stop_reason=StopReason.MAX_TOKENS)

    async with rig(sqlite_store_url, cut) as home:
        job_id = await home.create()
        await home.run()
        assert await home.state(job_id) == "waiting_for_input"
        assert len(home.model.requests) == 3
        (asked,) = await home.open(job_id)
        await home.context.escalations.resolve(
            OWNER, asked.escalation_id, decision="guide", guidance="Write less."
        )
        await home.run()
        assert len(home.model.requests) == 6
        assert paired(await home.messages(job_id))


async def _crash_while_thinking(home: Rig) -> None:
    thinking, never = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        thinking.set()
        await never.wait()

    home.model.hooks[1] = hang
    turn = asyncio.create_task(home.run())
    await thinking.wait()
    turn.cancel()
    await asyncio.wait({turn})


async def test_a_defect_while_thinking_gives_the_reservation_back(sqlite_store_url: str) -> None:
    async def break_down() -> None:
        raise RuntimeError("a defect")

    async with rig(sqlite_store_url, [Turn(say="Never heard.")]) as home:
        home.model.hooks[1] = break_down
        job_id = await home.create()
        await home.run()
        assert await home.state(job_id) == "error"
        assert await home.reserved() == 0


@pytest.mark.parametrize("reason", [StopReason.CONTEXT_WINDOW, StopReason.REFUSAL])
async def test_nothing_of_a_reply_that_broke_off_is_run(
    sqlite_store_url: str, reason: StopReason
) -> None:
    turns = [Turn(say="I", tools=(NARRATE,), stop_reason=reason), Turn(say="Done.")]
    async with rig(sqlite_store_url, turns) as home:
        job_id = await home.create()
        await home.run()
        assert await home.state(job_id) in {"error", "waiting_for_input"}
        if asked := await home.open(job_id):
            await home.context.escalations.resolve(
                OWNER, asked[0].escalation_id, decision="rephrase", guidance=None
            )
        else:
            await home.sessions.resume(OWNER, job_id)
        await home.run()
        assert "agent.narrated" not in [e.type for e in await home.events(job_id)]


@pytest.mark.parametrize("reason", [StopReason.CONTEXT_WINDOW, StopReason.REFUSAL])
async def test_a_reply_that_broke_off_is_no_last_word(
    sqlite_store_url: str, reason: StopReason
) -> None:
    glob = ToolCall("glob", {"pattern": "*"})
    turns = [
        Turn(tools=(glob,)),
        Turn(say="I begin", stop_reason=reason),
        Turn(tools=(NARRATE,)),
        Turn(say="Done."),
    ]
    async with rig(sqlite_store_url, turns) as home:
        job_id = await home.create()
        # Paused meanwhile, so that the reply is kept and nothing made of it, as by a crash.
        home.model.hooks[2] = lambda: home.sessions.pause(OWNER, job_id)
        await home.run()
        await home.sessions.resume(OWNER, job_id)
        await home.run()
        assert await home.state(job_id) == "completed"
        assert "agent.narrated" in [e.type for e in await home.events(job_id)]
        assert paired(await home.messages(job_id))


async def test_thinking_alone_is_no_last_word(sqlite_store_url: str) -> None:
    turns = [Turn(tools=(NARRATE,)), Turn(think="Hm."), Turn(say=" \n"), Turn(say="Done.")]
    async with rig(sqlite_store_url, turns) as home:
        job_id = await home.create()
        await home.run()
        assert len(home.model.requests) == 4
        assert await home.state(job_id) == "completed"


async def test_a_tool_that_breaks_is_an_error_result(sqlite_store_url: str) -> None:
    edit = ToolCall("edit_file", {"path": "a.bin", "old": "a", "new": "b"})
    async with rig(sqlite_store_url, [Turn(tools=(edit,)), Turn(say="Done.")]) as home:
        job_id = await home.create()
        (await home.sandbox.open(job_id)).files["a.bin"] = b"\xff\xfe\x00a"
        await home.run()
        assert await home.state(job_id) == "completed"
        (result, *_) = home.model.requests[1].messages[-1].blocks
        assert isinstance(result, ToolResultBlock)
        assert result.is_error


async def test_the_cap_is_asked_about_once(sqlite_store_url: str) -> None:
    def work(view: object) -> Turn:
        return Turn(tools=(ToolCall("glob", {"pattern": str(len(home.model.requests))}),))

    async with rig(sqlite_store_url, work) as home:
        job_id = await home.create()
        async with home.store.writing() as tx:
            session = await tx.sessions.lock((await home.session(job_id)).session_id)
            assert session is not None
            await tx.sessions.save(replace(session, tool_calls=999))
        await home.run()
        assert await home.state(job_id) == "waiting_for_input"
        await home.sessions.message(OWNER, job_id, "Just go on.")
        await home.run()
        assert await home.state(job_id) == "waiting_for_input"
        assert len(await home.open(job_id)) == 1


async def test_an_option_of_the_agent_never_ends_the_job(sqlite_store_url: str) -> None:
    stop: JsonValue = {
        "id": "stop_job",
        "label": "Stop the nightly job",
        "description": "It fails.",
    }
    options: list[JsonValue] = [stop, OPTIONS[1]]
    ask = ToolCall("ask_founder", {"problem": "What?", "options": options, "recommended": "no"})
    async with rig(sqlite_store_url, [Turn(tools=(ask,)), Turn(say="Done.")]) as home:
        job_id = await home.create()
        await home.run()
        assert await home.open(job_id) == []
        assert await home.state(job_id) == "completed"
