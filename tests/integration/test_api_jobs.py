import json

import httpx2
import pytest

from tests.integration.api_service import MODEL, ApiService

pytestmark = pytest.mark.anyio


async def test_a_job_is_created_from_an_idea_alone(ada: httpx2.AsyncClient) -> None:
    created = await ada.post("/api/jobs", json={"idea_brief": "  A shop for tea. "})
    job = created.json()
    assert created.status_code == 201
    assert created.headers["location"] == f"/api/jobs/{job['job_id']}"
    assert (job["state"], job["idea_brief"], job["model"]) == ("queued", "A shop for tea.", MODEL)
    assert (job["session_id"], job["max_tool_calls"]) == (job["job_id"], 100)
    assert (await ada.get(created.headers["location"])).json() == job


@pytest.mark.parametrize(
    "answers", [[{"question": "Who?", "answer": "Me"}], {"Who?": "Me"}], ids=["list", "mapping"]
)
async def test_answers_come_as_a_list_or_as_a_mapping(
    ada: httpx2.AsyncClient, answers: object
) -> None:
    body = {"idea_brief": "Tea", "understanding_qna": answers}
    job = (await ada.post("/api/jobs", json=body)).json()
    assert job["understanding_qna"] == [{"question": "Who?", "answer": "Me"}]


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        (None, None),
        ("First this.", {"summary": "First this.", "phases": []}),
        (
            {"summary": "S", "phases": [{"name": "Plan"}, {"name": "Build", "description": "d"}]},
            {
                "summary": "S",
                "phases": [
                    {"name": "Plan", "description": ""},
                    {"name": "Build", "description": "d"},
                ],
            },
        ),
    ],
    ids=["none", "text", "phases"],
)
async def test_a_plan_is_nothing_a_text_or_phases(
    ada: httpx2.AsyncClient, plan: object, shown: object
) -> None:
    body = {"idea_brief": "Tea", "build_plan": plan, "max_tool_calls": 7, "model": MODEL}
    job = (await ada.post("/api/jobs", json=body)).json()
    assert (job["build_plan"], job["max_tool_calls"]) == (shown, 7)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "idea_brief"),
        ({"idea_brief": "  "}, "idea_brief"),
        ({"idea_brief": 5}, "idea_brief"),
        ({"idea_brief": "a\0b"}, "idea_brief"),
        ({"idea_brief": "a\ud800b"}, "idea_brief"),
        ({"idea_brief": "x" * 50_001}, "idea_brief"),
        ({"idea_brief": "Tea", "max_tool_calls": 0}, "max_tool_calls"),
        ({"idea_brief": "Tea", "max_tool_calls": True}, "max_tool_calls"),
        ({"idea_brief": "Tea", "max_tool_calls": 10**30}, "max_tool_calls"),
        (
            {"idea_brief": "Tea", "understanding_qna": [{"question": "Who?"}]},
            "understanding_qna.0.answer",
        ),
        ({"idea_brief": "Tea", "understanding_qna": {"Who?": 5}}, "understanding_qna.0.answer"),
        ({"idea_brief": "Tea", "build_plan": {"phases": []}}, "build_plan.summary"),
        (
            {"idea_brief": "Tea", "build_plan": {"summary": "S", "phases": [{"name": " "}]}},
            "build_plan.phases.0.name",
        ),
        ({"idea_brief": "Tea", "colour": "red"}, "colour"),
        ([], None),
    ],
)
async def test_a_wrong_field_is_named_with_a_cure(
    ada: httpx2.AsyncClient, body: object, field: str | None
) -> None:
    kind = {"Content-Type": "application/json"}
    refused = await ada.post("/api/jobs", content=json.dumps(body), headers=kind)
    problem = refused.json()
    assert refused.status_code == 422
    assert (problem["code"], problem["field"]) == ("invalid_input", field)
    assert problem["cure"]


async def test_a_model_without_a_price_is_refused(ada: httpx2.AsyncClient) -> None:
    refused = await ada.post("/api/jobs", json={"idea_brief": "Tea", "model": "unheard-of"})
    problem = refused.json()
    assert refused.status_code == 422
    assert (problem["code"], problem["field"]) == ("unknown_model", "model")
    assert problem["cure"]
    assert (await ada.get("/api/jobs")).json()["items"] == []


async def test_the_same_key_makes_one_job(ada: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = await ada.post("/api/jobs", json={"idea_brief": "Tea"}, headers=key)
    again = await ada.post("/api/jobs", json={"idea_brief": "Tea"}, headers=key)
    assert again.status_code == 201
    assert again.json() == first.json()
    other = await ada.post("/api/jobs", json={"idea_brief": "Coffee"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    elsewhere = await bob.post("/api/jobs", json={"idea_brief": "Coffee"}, headers=key)
    assert elsewhere.status_code == 201
    assert len((await ada.get("/api/jobs")).json()["items"]) == 1


@pytest.mark.parametrize("key", ["", "two words", "x" * 201])
async def test_a_key_is_plain_text(ada: httpx2.AsyncClient, key: str) -> None:
    refused = await ada.post(
        "/api/jobs", json={"idea_brief": "Tea"}, headers={"Idempotency-Key": key}
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "Idempotency-Key")


async def test_pages_show_every_job_once_newest_first(
    ada: httpx2.AsyncClient, bob: httpx2.AsyncClient
) -> None:
    await bob.post("/api/jobs", json={"idea_brief": "Another's"})
    made = [
        (await ada.post("/api/jobs", json={"idea_brief": f"Idea {n}"})).json()["job_id"]
        for n in range(5)
    ]
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await ada.get("/api/jobs", params=query)).json()
        seen += [item["job_id"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (seen, pages) == (made[::-1], 3)


async def test_a_cursor_of_nothing_is_refused(
    ada: httpx2.AsyncClient, bob: httpx2.AsyncClient
) -> None:
    others = (await bob.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    for cursor in ("job_none", others, "\0"):
        refused = await ada.get("/api/jobs", params={"cursor": cursor})
        assert (refused.status_code, refused.json()["field"]) == (422, "cursor")
    refused = await ada.get("/api/jobs", params={"limit": "0"})
    assert (refused.status_code, refused.json()["field"]) == (422, "limit")


async def test_status_is_all_that_a_page_needs(api: ApiService, ada: httpx2.AsyncClient) -> None:
    plan = {"summary": "S", "phases": [{"name": "Plan it"}]}
    body = {"idea_brief": "Tea", "build_plan": plan}
    job_id = (await ada.post("/api/jobs", json=body)).json()["job_id"]
    await api.spend("ada", job_id, 1000)
    await api.narrate(job_id, "one", "two")
    asked = await api.ask(job_id)
    await api.sleep(job_id)
    status = (await ada.get(f"/api/jobs/{job_id}/status")).json()
    assert status["state"] == "sleeping"
    assert status["wake_at"] > status["server_time"]
    assert status["spent_usd_micros"] == status["budget"]["spent_usd_micros"] == 1000
    assert [phase["phase_id"] for phase in status["phases"]] == ["plan-it"]
    assert [e["escalation_id"] for e in status["pending_escalations"]] == [asked.escalation_id]
    assert status["recent"][-1]["seq"] == status["last_seq"] == len(status["recent"])
    assert status["recent"][0]["epoch"] == status["epoch"]
    moved = [event for event in status["recent"] if event["type"] == "agent.state_changed"]
    assert [(event["from"], event["to"]) for event in moved] == [
        ("queued", "working"),
        ("working", "sleeping"),
    ]


async def test_documents_are_shown_in_their_newest_version(
    api: ApiService, ada: httpx2.AsyncClient
) -> None:
    job_id = (await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    await api.write_document(job_id, "handover", "old")
    await api.write_document(job_id, "handover", "new")
    (document,) = (await ada.get(f"/api/jobs/{job_id}/documents")).json()["items"]
    assert (document["name"], document["version"], document["content"]) == ("handover", 2, "new")


async def test_history_is_paged_and_filtered(api: ApiService, ada: httpx2.AsyncClient) -> None:
    job_id = (await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    await api.narrate(job_id, "one", "two", "three")
    await api.work(job_id)
    url = f"/api/jobs/{job_id}/events"
    page = (await ada.get(url, params={"after": 1, "limit": 2})).json()
    assert [event["seq"] for event in page["items"]] == [2, 3]
    assert (page["last_seq"], page["epoch"]) == (4, page["items"][0]["epoch"])
    query = {"type": ["agent.state_changed", "agent.waking"]}
    found = (await ada.get(url, params=query)).json()["items"]
    assert [event["type"] for event in found] == ["agent.state_changed"]


@pytest.mark.parametrize(
    ("query", "field"),
    [({"type": "agent.dreaming"}, "type"), ({"limit": "1001"}, "limit"), ({"after": "x"}, "after")],
)
async def test_history_refuses_what_it_does_not_know(
    ada: httpx2.AsyncClient, query: dict[str, str], field: str
) -> None:
    job_id = (await ada.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    refused = await ada.get(f"/api/jobs/{job_id}/events", params=query)
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert "JSON" not in refused.json()["cure"]
