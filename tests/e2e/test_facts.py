"""The three facts that a reload depends on, seen through HTTP and Redis."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis

from cofounder.testing.provider import Script, Status429, ToolCall, Turn
from tests.e2e.harness import Founder, House, as_list, as_object, house

pytestmark = pytest.mark.anyio

ASK = ToolCall(
    "ask_founder",
    {
        "problem": "Blue or red?",
        "options": [
            {"id": "blue", "label": "Blue", "description": "Calm.", "reversible": True},
            {"id": "red", "label": "Red", "description": "Loud.", "reversible": True},
        ],
        "recommended": "blue",
    },
)


def thoughts(count: int) -> list[Turn]:
    """Dear replies, each with another tool call, so that they are no circle."""
    text = "I think about it at length. " * 100
    return [
        Turn(think=text, tools=(ToolCall("glob", {"pattern": f"{number}*"}),))
        for number in range(count)
    ]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    await client.aclose()


async def _key(redis: Redis, job_id: str, name: str) -> str | None:
    value = await redis.get(f"cofounder:agent:{job_id}:{name}")
    return None if value is None else str(value)


async def test_budget_pct_is_written_after_every_calls_cost(
    tmp_path: Path, postgres_url: str, redis_url: str, redis: Redis
) -> None:
    turns = [*thoughts(2), Turn(say="Done.")]
    async with house(
        tmp_path, Script(default=turns), database_url=postgres_url, redis_url=redis_url
    ) as home:
        await home.shorten_days(day_s=3600, day_usd_micros=1_000_000)
        async with redis.pubsub() as channel:
            await channel.psubscribe("job:*:events")
            job_id = await home.founder.create()
            told = await _published(channel, "agent.completed")
        updates = [event for event in told if event["type"] == "agent.budget_updated"]
        assert len(updates) == len(home.provider.bill) == 3
        spent = 0
        for update, row in zip(updates, home.provider.bill, strict=True):
            spent += row.amount_usd_micros
            assert update["spent"] == spent
            assert update["budget_pct"] == 100 * spent // 1_000_000
        assert await _key(redis, job_id, "budget_pct") == str(100 * spent // 1_000_000)
        assert 0 < await redis.ttl(f"cofounder:agent:{job_id}:budget_pct") <= 90
        await redis.flushall()
        status = await home.founder.status(job_id)
        assert status["budget_pct"] == 100 * spent // 1_000_000


async def _published(channel: object, last: str) -> list[dict[str, object]]:
    told: list[dict[str, object]] = []
    async for message in channel.listen():  # type: ignore[attr-defined]  # redis-py types it loosely
        if message["type"] == "pmessage":
            event = json.loads(message["data"])
            told.append(event)
            if event["type"] == last:
                return told
    raise AssertionError("the channel was closed")


async def test_wake_at_is_written_on_sleep(
    tmp_path: Path, postgres_url: str, redis_url: str, redis: Redis
) -> None:
    async with house(
        tmp_path, Script(default=thoughts(50)), database_url=postgres_url, redis_url=redis_url
    ) as home:
        await home.shorten_days(day_s=300, day_usd_micros=120_000)
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "sleeping")
        wake_at = datetime.fromisoformat(str(status["wake_at"]))
        assert wake_at.utcoffset() == UTC.utcoffset(None)
        event = await home.founder.until(job_id, lambda e: e["type"] == "agent.sleeping")
        assert datetime.fromisoformat(str(event["wake_at"])) == wake_at
        slept_at = datetime.fromisoformat(str(event["at"]))
        key = await _key(redis, job_id, "wake_at")
        assert key is not None
        assert datetime.fromisoformat(key) == wake_at
        ttl_s = await redis.ttl(f"cofounder:agent:{job_id}:wake_at")
        assert 1 <= ttl_s <= int((wake_at - slept_at).total_seconds()) + 1
        assert ttl_s >= int((wake_at - slept_at).total_seconds()) - 5
        assert await _key(redis, job_id, "state") == "sleeping"
        await redis.flushall()
        assert (await home.founder.status(job_id))["wake_at"] == status["wake_at"]


async def test_a_resolution_is_seen_by_those_who_were_listening_after_the_commit(
    tmp_path: Path, postgres_url: str, redis_url: str, redis: Redis
) -> None:
    turns = [Turn(tools=(ASK,)), Turn(say="I wait."), Turn(say="Blue it is.")]
    async with house(
        tmp_path, Script(default=turns), database_url=postgres_url, redis_url=redis_url
    ) as home:
        job_id = await home.founder.create()
        status = await home.founder.until_state(job_id, "waiting_for_input")
        asked = as_list(status["pending_escalations"])[0]
        escalation_id = str(asked["escalation_id"])
        cursor = status["last_seq"]
        assert isinstance(cursor, int)
        async with home.founder.listening(job_id, cursor) as second, redis.pubsub() as channel:
            await channel.subscribe(f"job:{job_id}:events")
            path = f"/api/escalations/{escalation_id}/resolve"
            await home.founder.post(path, {"decision": "blue", "guidance": "Light blue."})
            event = await _next_resolved(second)
            # The commit came first: whoever hears of it reads it, too.
            stored = await home.founder.get(f"/api/escalations/{escalation_id}")
            told = await _published_on(channel)
        assert event["escalation_id"] == escalation_id
        assert event["resolution"] == "blue"
        assert datetime.fromisoformat(str(event["resolved_at"])).utcoffset() is not None
        assert as_object(stored["answer"])["decision"] == "blue"
        assert told == event
        await home.founder.until_state(job_id, "completed")
        await _answered_once(home, "Light blue.")
        assert (await home.founder.status(job_id))["pending_escalations"] == []


async def _next_resolved(events: AsyncIterator[object]) -> dict[str, object]:
    async for event in events:
        assert isinstance(event, dict)
        if event["type"] == "agent.escalation_resolved":
            return event
    raise AssertionError("the stream ended")


async def _published_on(channel: object) -> dict[str, object]:
    async for message in channel.listen():  # type: ignore[attr-defined]  # redis-py types it loosely
        if message["type"] == "message":
            event: dict[str, object] = json.loads(message["data"])
            if event["type"] == "agent.escalation_resolved":
                return event
    raise AssertionError("the channel was closed")


async def _answered_once(home: House, guidance: str) -> None:
    last = home.provider.views[-1]
    assert sum(message.text.count(guidance) for message in last.messages) == 1


async def test_without_redis_the_api_tells_the_same_truth(tmp_path: Path) -> None:
    turns = [Turn(tools=(ASK,)), Turn(say="I wait."), *thoughts(50)]
    async with house(tmp_path, Script(default=turns)) as home:
        await home.shorten_days(day_s=300, day_usd_micros=120_000)
        founder: Founder = home.founder
        job_id = await founder.create()
        status = await founder.until_state(job_id, "waiting_for_input")
        spent = sum(row.amount_usd_micros for row in home.provider.bill)
        assert status["budget_pct"] == 100 * spent // 120_000
        cursor = status["last_seq"]
        assert isinstance(cursor, int)
        escalation_id = as_list(status["pending_escalations"])[0]["escalation_id"]
        async with founder.listening(job_id, cursor) as second:
            await founder.post(f"/api/escalations/{escalation_id}/resolve", {"decision": "red"})
            assert (await _next_resolved(second))["resolution"] == "red"
        asleep = await founder.until_state(job_id, "sleeping")
        assert asleep["wake_at"] is not None
        assert asleep["budget_pct"] in range(50, 101)


async def test_a_signal_from_outside_wakes_it_once(
    tmp_path: Path, postgres_url: str, redis_url: str, redis: Redis
) -> None:
    turns = [Turn(say="Done.", faults=(Status429(retry_after_s=7200),)), Turn(say="Done.")]
    async with house(
        tmp_path, Script(default=turns), database_url=postgres_url, redis_url=redis_url
    ) as home:
        job_id = await home.founder.create()
        await home.founder.until_state(job_id, "sleeping")
        await redis.set(f"cofounder:agent:{job_id}:wake_signal", "1", ex=86_400)
        done = await home.founder.until_state(job_id, "completed")
        assert done["wake_at"] is None
        assert await redis.get(f"cofounder:agent:{job_id}:wake_signal") is None
        assert await _key(redis, job_id, "wake_at") is None
        types = [event["type"] for event in await home.founder.history(job_id)]
        assert types.count("agent.waking") == 1
