"""Who may come in, and how every refusal looks."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from cofounder.api.limits import MAX_BODY_BYTES
from tests.integration.api_service import VERSION, ApiService

pytestmark = pytest.mark.anyio

JOB_ROUTES = [
    ("GET", ""),
    ("GET", "/status"),
    ("GET", "/events"),
    ("GET", "/events/stream"),
    ("GET", "/escalations"),
    ("GET", "/documents"),
    ("POST", "/wake"),
    ("POST", "/pause"),
    ("POST", "/resume"),
    ("POST", "/cancel"),
    ("POST", "/messages"),
]


def _is_problem(answer: httpx2.Response, status: int, code: str) -> bool:
    media_type, body = answer.headers["content-type"], answer.json()
    return (
        (answer.status_code, body["status"], body["code"]) == (status, status, code)
        and media_type == "application/problem+json"
        and bool(body["title"])
    )


@pytest.mark.parametrize("whose", ["another owner's", "nobody's", "impossible"])
async def test_a_job_of_another_owner_does_not_exist(
    ada: httpx2.AsyncClient, bob: httpx2.AsyncClient, whose: str
) -> None:
    bobs = (await bob.post("/api/jobs", json={"idea_brief": "Tea"})).json()
    job_id = {"nobody's": "job_none", "impossible": "%00%FF' OR 1"}.get(whose, bobs["job_id"])
    for method, path in JOB_ROUTES:
        body = {"text": "Hi"} if path == "/messages" else None
        refused = await ada.request(method, f"/api/jobs/{job_id}{path}", json=body)
        assert _is_problem(refused, 404, "not_found"), path
    assert (await bob.get(f"/api/jobs/{bobs['job_id']}")).json() == bobs


async def test_a_decision_of_another_owner_does_not_exist(
    api: ApiService, ada: httpx2.AsyncClient, bob: httpx2.AsyncClient
) -> None:
    job_id = (await bob.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"]
    asked = await api.ask(job_id)
    for name in (asked.escalation_id, "esc_none", "%00"):
        assert _is_problem(await ada.get(f"/api/escalations/{name}"), 404, "not_found")
        refused = await ada.post(f"/api/escalations/{name}/resolve", json={"decision": "skip"})
        assert _is_problem(refused, 404, "not_found")
    assert (await ada.get("/api/escalations")).json()["items"] == []
    assert (await bob.get(f"/api/escalations/{asked.escalation_id}")).json()["answer"] is None


async def test_without_the_token_nothing_is_shown(api: ApiService) -> None:
    stranger = api.client(None)
    wrong = ["Bearer wrong", "Bearer", "Basic token-ada", "token-ada", "Bearer t\xf6ken"]
    headers = [{b"Authorization": value.encode("latin-1")} for value in wrong]
    for path in ("/api/jobs", "/api/budget", "/api/nowhere", "/metrics", "/", "/api/openapi.json"):
        for each in [{}, {b"Cookie": b"cofounder=token-ada"}, *headers]:
            refused = await stranger.get(path, headers=each)
            assert _is_problem(refused, 401, "unauthenticated"), (path, each)
            assert refused.headers["www-authenticate"] == "Bearer"


async def test_probes_need_no_token_and_no_name(api: ApiService) -> None:
    probe = api.client(None)
    for host in ("127.0.0.1", "10.0.0.7"):
        live = await probe.get("/api/health/live", headers={"Host": host})
        assert live.json() == {"status": "ok", "version": VERSION}
        ready = await probe.get("/api/health/ready", headers={"Host": host})
        assert ready.json() == {"status": "ok", "checks": ["database"]}


async def test_only_known_host_names_are_answered(ada: httpx2.AsyncClient) -> None:
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:8484", "cofounder.test"):
        assert (await ada.get("/api/jobs", headers={"Host": host})).status_code == 200
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8484", ""):
        refused = await ada.get("/api/jobs", headers={"Host": host})
        assert _is_problem(refused, 421, "wrong_host")


async def test_pages_of_other_origins_are_refused(api: ApiService, ada: httpx2.AsyncClient) -> None:
    same = await ada.post("/api/jobs", json={"idea_brief": "Tea"}, headers={"Origin": api.url})
    assert same.status_code == 201
    for origin in ("http://evil.example", "http://127.0.0.1:1", "null", "http://localhost"):
        refused = await ada.post("/api/jobs", json={"idea_brief": "x"}, headers={"Origin": origin})
        assert _is_problem(refused, 403, "wrong_origin")
    assert len((await ada.get("/api/jobs")).json()["items"]) == 1


async def test_no_other_origin_may_read(api: ApiService, ada: httpx2.AsyncClient) -> None:
    answer = await ada.get("/api/jobs", headers={"Origin": api.url})
    assert "access-control-allow-origin" not in answer.headers
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert (await ada.options("/api/jobs", headers=asked)).status_code == 403


async def test_a_page_opened_with_the_token_gets_a_cookie(api: ApiService) -> None:
    page = api.client(None)
    opened = await page.get(f"{api.url}//evil.example/jobs?token=token-ada&tab=2")
    assert opened.status_code == 303
    assert opened.headers["location"] == "/evil.example/jobs?tab=2"
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert (await page.get("/api/jobs")).status_code == 200
    crowded = {"Cookie": f'junk={{"a": 1}}; {cookie.partition(";")[0]}; z'}
    assert (await api.client(None).get("/api/jobs", headers=crowded)).status_code == 200
    refused = await api.client(None).get("/", params={"token": "wrong"})
    assert _is_problem(refused, 401, "unauthenticated")
    in_api = await api.client(None).get("/api/jobs", params={"token": "token-ada"})
    assert _is_problem(in_api, 401, "unauthenticated")


async def test_unknown_routes_and_methods_are_problems(ada: httpx2.AsyncClient) -> None:
    assert _is_problem(await ada.get("/api/nowhere"), 404, "not_found")
    assert _is_problem(await ada.get("/docs"), 404, "not_found")
    refused = await ada.delete("/api/jobs")
    assert _is_problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"]


async def test_broken_json_is_a_problem(ada: httpx2.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    number = b'{"idea_brief": ' + b"9" * 5000 + b"}"
    for content in (b'{"idea_brief": ', b"\xff\xfe", b"[" * 100_000, number):
        refused = await ada.post("/api/jobs", content=content, headers=headers)
        assert _is_problem(refused, 400, "malformed_json")
        assert "application/json" in refused.json()["cure"]
    assert _is_problem(await ada.post("/api/jobs", headers=headers), 422, "invalid_input")
    plain = {"Content-Type": "text/plain"}
    refused = await ada.post("/api/jobs", content=b'{"idea_brief": "x"}', headers=plain)
    assert _is_problem(refused, 422, "invalid_input")
    assert "application/json" in refused.json()["cure"]


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_a_body_that_is_too_large_is_refused(
    ada: httpx2.AsyncClient, *, declared: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * (MAX_BODY_BYTES // 10)

    content = b"x" * (2 * MAX_BODY_BYTES) if declared else chunks()
    refused = await ada.post("/api/jobs", content=content)
    assert _is_problem(refused, 413, "body_too_large")
    assert (await ada.get("/api/jobs")).status_code == 200


async def test_a_body_up_to_the_limit_is_read(ada: httpx2.AsyncClient) -> None:
    text = "x" * (MAX_BODY_BYTES - 100)
    refused = await ada.post("/api/jobs", json={"idea_brief": text})
    assert (refused.status_code, refused.json()["field"]) == (422, "idea_brief")
