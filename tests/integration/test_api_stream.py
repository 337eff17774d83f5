import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.integration.api_service import PATIENCE_S, ApiService, Setup, api_service
from tests.integration.event_stream import Sse, opened, seq

pytestmark = pytest.mark.anyio


@pytest.fixture
async def job(ada: httpx2.AsyncClient) -> str:
    """A job whose log is still empty."""
    return str((await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"])


def texts(events: list[Sse]) -> list[str]:
    return [json.loads(event.data)["text"] for event in events]


async def _until_streams(client: httpx2.AsyncClient, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while f"cofounder_streams_open {count}\n" not in (await client.get("/metrics")).text:
            pass


async def test_the_log_comes_first_and_then_what_happens(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    await api.narrate(job, "one", "two")
    async with opened(ada, job) as stream:
        assert texts(await stream.take(2)) == ["one", "two"]
        await api.narrate(job, "three")
        event = await stream.next()
    assert stream.retry_ms is not None
    assert 1000 <= stream.retry_ms < 3000
    history = (await ada.get(f"/api/jobs/{job}/events")).json()
    assert json.loads(event.data) == history["items"][-1]
    assert (event.event, event.id) == ("agent.narrated", f"{history['epoch']}:3")


async def test_what_happens_meanwhile_is_neither_lost_nor_doubled(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    async def write() -> None:
        for number in range(300):
            await api.narrate(job, str(number))

    async with opened(ada, job) as first:
        writing = asyncio.create_task(write())
        async with opened(ada, job) as second:
            for stream in (first, second):
                assert [seq(event) for event in await stream.take(300)] == list(range(1, 301))
        await writing


async def test_a_stream_goes_on_after_the_status_without_a_gap(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    await api.narrate(job, "one", "two")
    status = (await ada.get(f"/api/jobs/{job}/status")).json()
    await api.narrate(job, "three")
    for after in (f"{status['last_seq']}", f"{status['epoch']}:{status['last_seq']}"):
        async with opened(ada, job, after=after) as stream:
            assert texts([await stream.next()]) == ["three"]


async def test_the_last_event_id_goes_before_the_address(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    await api.narrate(job, "one", "two", "three")
    async with opened(ada, job) as stream:
        second = (await stream.take(2))[1]
    async with opened(ada, job, after="1", last_event_id=second.id) as stream:
        assert texts([await stream.next()]) == ["three"]


async def test_a_position_that_is_not_of_this_log_starts_anew(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    await api.narrate(job, "one", "two")
    epoch = (await ada.get(f"/api/jobs/{job}/status")).json()["epoch"]
    for position, reason in (("log_old:1", "unknown_epoch"), (f"{epoch}:3", "beyond_end")):
        async with opened(ada, job, last_event_id=position) as stream:
            reset = await stream.next()
            assert (reset.event, reset.id) == ("reset", f"{epoch}:2")
            expected = {"reason": reason, "epoch": epoch, "last_seq": 2}
            assert json.loads(reset.data) == expected
    async with opened(ada, job, last_event_id="log_old:1") as stream:
        await stream.next()
        await api.narrate(job, "three")
        assert texts([await stream.next()]) == ["three"]


async def test_who_is_too_far_behind_starts_anew(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    await api.narrate(job, *("x" for _ in range(1001)))
    async with opened(ada, job, after="1") as stream:
        assert [seq(event) for event in await stream.take(1000)] == list(range(2, 1002))
    async with opened(ada, job) as stream:
        reset = await stream.next()
        assert (reset.event, seq(reset)) == ("reset", 1001)
        assert json.loads(reset.data)["reason"] == "too_far_behind"


async def test_a_gap_on_the_bus_is_closed_from_the_log(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    async with opened(ada, job) as stream:
        await _until_streams(ada, 1)
        api.bus.to_lose = 2
        await api.narrate(job, "one", "two")
        await api.narrate(job, "three")
        assert texts(await stream.take(3)) == ["one", "two", "three"]


@pytest.mark.parametrize("position", ["x", "log:", ":", "log:-1", "1.5", "9" * 16, "\u0661"])
async def test_a_position_that_is_none_is_refused(
    ada: httpx2.AsyncClient, job: str, position: str
) -> None:
    url = f"/api/jobs/{job}/events/stream"
    refused = await ada.get(url, params={"after": position})
    assert (refused.status_code, refused.json()["field"]) == (422, "after")


async def test_everybody_sees_the_decision_after_its_commit(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    asked = await api.ask(job)
    async with opened(ada, job, after="1") as first, opened(ada, job, after="1") as second:
        await _until_streams(ada, 2)
        url = f"/api/escalations/{asked.escalation_id}"
        answer = (await ada.post(f"{url}/resolve", json={"decision": "skip"})).json()["answer"]
        for stream in (first, second):
            event = await stream.next()
            assert event.event == "agent.escalation_resolved"
            told = json.loads(event.data)
            assert (told["resolution"], told["resolved_at"]) == ("skip", answer["resolved_at"])


async def test_jobs_do_not_hear_each_other(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    other = (await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    async with opened(ada, job) as stream:
        await _until_streams(ada, 1)
        await api.narrate(other, "not yours")
        await api.narrate(job, "yours")
        assert texts([await stream.next()]) == ["yours"]


async def test_who_hangs_up_is_forgotten(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    async with opened(ada, job), opened(ada, job):
        await _until_streams(ada, 2)
        assert api.bus.subscriptions == 1
    await _until_streams(ada, 0)
    async with asyncio.timeout(PATIENCE_S):
        while api.bus.subscriptions:
            await ada.get("/api/health/live")


async def test_a_stream_ends_when_the_bus_is_closed(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    async with opened(ada, job) as stream:
        await _until_streams(ada, 1)
        await api.bus.close()
        assert await stream.ended()


@pytest.fixture
async def lively(sqlite_store_url: str) -> AsyncIterator[ApiService]:
    """A service that pings often."""
    async with api_service(sqlite_store_url, Setup(ping_s=0.3)) as service:
        yield service


async def test_a_ping_has_the_time_and_no_id(lively: ApiService) -> None:
    ada = lively.client("token-ada")
    job = (await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    async with opened(ada, job) as stream:
        pings = [await stream.next(pings=True) for _ in range(2)]
        await lively.narrate(job, "one")
        assert texts([await stream.next()]) == ["one"]
    assert [(ping.event, ping.id) for ping in pings] == [("ping", "")] * 2
    instants = [json.loads(ping.data)["server_time"] for ping in pings]
    assert instants[0] < instants[1]
    assert instants[0].endswith("Z")
