"""The founder's controls, decisions and money."""

import asyncio
from datetime import UTC, datetime

import httpx2
import pytest

from cofounder.domain.schedule import FixedCalendar
from tests.integration.api_service import CYCLE_USD_MICROS, ApiService, Setup, api_service

pytestmark = pytest.mark.anyio


@pytest.fixture
async def job(ada: httpx2.AsyncClient) -> str:
    """A queued job of Ada's."""
    return str((await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"])


async def _day_budget(client: httpx2.AsyncClient) -> int:
    return int((await client.get("/api/budget")).json()["today"]["limit_usd_micros"])


async def test_a_pause_holds_until_it_is_resumed(ada: httpx2.AsyncClient, job: str) -> None:
    for _ in range(2):
        assert (await ada.post(f"/api/jobs/{job}/pause")).json()["state"] == "paused"
    assert (await ada.post(f"/api/jobs/{job}/resume")).json()["state"] == "queued"
    refused = await ada.post(f"/api/jobs/{job}/resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert refused.json()["cure"]


async def test_an_error_is_tried_again(api: ApiService, ada: httpx2.AsyncClient, job: str) -> None:
    await api.fail(job)
    shown = (await ada.get(f"/api/jobs/{job}")).json()
    assert (shown["state"], shown["problem"]) == ("error", "It broke.")
    resumed = (await ada.post(f"/api/jobs/{job}/resume")).json()
    assert (resumed["state"], resumed["problem"]) == ("queued", None)


async def test_a_cancelled_job_stays_cancelled(ada: httpx2.AsyncClient, job: str) -> None:
    for _ in range(2):
        assert (await ada.post(f"/api/jobs/{job}/cancel")).json()["state"] == "cancelled"
    for control in ("pause", "resume", "wake"):
        assert (await ada.post(f"/api/jobs/{job}/{control}")).status_code == 409
    refused = await ada.post(f"/api/jobs/{job}/messages", json={"text": "Hello?"})
    assert refused.status_code == 409


async def test_a_sleeper_is_woken_if_there_is_money(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    refused = await ada.post(f"/api/jobs/{job}/wake")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    await api.sleep(job)
    shown = (await ada.get(f"/api/jobs/{job}")).json()
    assert (shown["state"], shown["sleep_reason"]) == ("sleeping", "budget")
    assert shown["wake_at"].endswith("Z")
    woken = (await ada.post(f"/api/jobs/{job}/wake")).json()
    assert (woken["state"], woken["wake_at"]) == ("queued", None)


async def test_a_wake_without_money_says_so_and_a_top_up_wakes(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    await api.spend("ada", job, await _day_budget(ada))
    await api.sleep(job)
    refused = await ada.post(f"/api/jobs/{job}/wake")
    assert (refused.status_code, refused.json()["code"]) == (409, "budget_exceeded")
    assert "op up" in refused.json()["cure"]
    await ada.post("/api/budget/top-up", json={"amount_usd_micros": 50_000_000})
    assert (await ada.get(f"/api/jobs/{job}")).json()["state"] == "queued"


async def test_a_message_is_accepted(ada: httpx2.AsyncClient, job: str) -> None:
    sent = await ada.post(f"/api/jobs/{job}/messages", json={"text": "Use green."})
    assert (sent.status_code, sent.json()["job_id"]) == (202, job)
    for text in ("", "  ", "x" * 20_001):
        refused = await ada.post(f"/api/jobs/{job}/messages", json={"text": text})
        assert (refused.status_code, refused.json()["field"]) == (422, "text")


async def test_a_decision_is_shown_everywhere_and_taken_once(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    asked = await api.ask(job)
    url = f"/api/escalations/{asked.escalation_id}"
    shown = (await ada.get(url)).json()
    assert (shown["answer"], shown["recommended"]) == (None, "guide")
    for listing in (f"/api/jobs/{job}/escalations", "/api/escalations", "/api/escalations?open=1"):
        assert (await ada.get(listing)).json()["items"] == [shown]
    answer = {"decision": "skip", "guidance": "Not now."}
    resolved = (await ada.post(f"{url}/resolve", json=answer)).json()
    assert resolved["answer"] | answer == resolved["answer"]
    assert resolved["answer"]["resolved_by"] == "ada"
    assert (await ada.get("/api/escalations", params={"open": "true"})).json()["items"] == []
    assert (await ada.get("/api/escalations")).json()["items"] == [resolved]
    again = await ada.post(f"{url}/resolve", json={"decision": "guide"})
    assert (again.status_code, again.json()["code"]) == (409, "already_resolved")
    assert again.json()["answer"] == resolved["answer"]


async def test_of_two_who_decide_at_once_one_is_told(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    url = f"/api/escalations/{(await api.ask(job)).escalation_id}"
    both = await asyncio.gather(
        *(ada.post(f"{url}/resolve", json={"decision": each}) for each in ("guide", "skip"))
    )
    won, lost = sorted(both, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    assert lost.json()["answer"] == won.json()["answer"]


async def test_only_an_offered_option_can_be_chosen(
    api: ApiService, ada: httpx2.AsyncClient, job: str
) -> None:
    url = f"/api/escalations/{(await api.ask(job)).escalation_id}"
    for body, field in (
        ({"decision": "burn"}, "decision"),
        ({}, "decision"),
        ({"decision": "skip", "guidance": "x" * 20_001}, "guidance"),
    ):
        refused = await ada.post(f"{url}/resolve", json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert (await ada.get(url)).json()["answer"] is None


async def test_the_budget_shows_plan_pace_and_ledger(
    api: ApiService, ada: httpx2.AsyncClient, bob: httpx2.AsyncClient, job: str
) -> None:
    before = (await ada.get("/api/budget")).json()
    assert before["plan"] == {
        "cycle_amount_usd_micros": CYCLE_USD_MICROS,
        "renewal_day": 1,
        "time_zone": "UTC",
    }
    await api.spend("ada", job, 1234)
    after = (await ada.get("/api/budget")).json()
    assert after["today"]["spent_usd_micros"] == 1234
    assert after["cycle"]["left_usd_micros"] == before["cycle"]["left_usd_micros"] - 1234
    (entry,) = after["entries"]
    assert (entry["kind"], entry["amount_usd_micros"], entry["session_id"]) == ("call", 1234, job)
    assert entry["usage"]["output_tokens"] == 20
    assert (await bob.get("/api/budget")).json()["entries"] == []


async def test_a_repeated_top_up_counts_once(ada: httpx2.AsyncClient) -> None:
    before, key = await _day_budget(ada), {"Idempotency-Key": "k-1"}
    for _ in range(2):
        body = {"amount_usd_micros": 500}
        topped = await ada.post("/api/budget/top-up", json=body, headers=key)
        assert topped.json()["today"]["limit_usd_micros"] == before + 500
    await ada.post("/api/budget/top-up", json={"amount_usd_micros": 500})
    assert await _day_budget(ada) == before + 1000


@pytest.mark.parametrize("amount", [0, -1, 10**13, 10**40, 1.5, "5", None])
async def test_a_top_up_is_a_positive_whole_amount(ada: httpx2.AsyncClient, amount: object) -> None:
    refused = await ada.post("/api/budget/top-up", json={"amount_usd_micros": amount})
    assert (refused.status_code, refused.json()["field"]) == (422, "amount_usd_micros")


async def test_a_plan_is_changed_and_kept(ada: httpx2.AsyncClient) -> None:
    plan = {"cycle_amount_usd_micros": 60_000_000, "renewal_day": 31, "time_zone": "UTC"}
    changed = (await ada.put("/api/budget/plan", json=plan)).json()
    assert changed["plan"] == plan
    assert changed["entries"][0]["kind"] == "plan"
    kept = {"cycle_amount_usd_micros": 90_000_000, "renewal_day": None, "time_zone": None}
    changed = (await ada.put("/api/budget/plan", json=kept)).json()
    assert changed["plan"] == plan | {"cycle_amount_usd_micros": 90_000_000}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cycle_amount_usd_micros": 0}, "cycle_amount_usd_micros"),
        ({"renewal_day": 0}, "renewal_day"),
        ({"renewal_day": 32}, "renewal_day"),
        ({"renewal_day": None}, "renewal_day"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": None}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
    ],
)
async def test_a_wrong_plan_is_refused_with_field_and_cure(
    ada: httpx2.AsyncClient, change: dict[str, object], field: str
) -> None:
    plan = {"cycle_amount_usd_micros": 1_000_000, "renewal_day": 1, "time_zone": "UTC"}
    refused = await ada.put("/api/budget/plan", json={**plan, **change})
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert refused.json()["cure"]


async def test_days_of_another_length_have_no_renewal_day(sqlite_store_url: str) -> None:
    calendar = FixedCalendar(anchor=datetime(2026, 1, 1, tzinfo=UTC), day_s=60, days_per_cycle=3)
    async with api_service(sqlite_store_url, Setup(calendar=calendar)) as api:
        ada = api.client("token-ada")
        plan = (await ada.get("/api/budget")).json()["plan"]
        assert (plan["renewal_day"], plan["time_zone"]) == (None, None)
        changed = (await ada.put("/api/budget/plan", json=plan)).json()
        assert changed["plan"] == plan
        assert changed["cycle"]["days_left"] <= 3
