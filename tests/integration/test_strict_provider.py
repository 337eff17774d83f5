"""What the strict provider refuses, spoken to without any SDK."""

import copy
import re
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import httpx2
import pytest

from cofounder.testing.provider import StrictProvider, ToolCall, Turn
from cofounder.testing.provider.content import seal, sign

pytestmark = pytest.mark.anyio

# Loosely typed on purpose: these are the requests that no typed client could make.
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Body: TypeAlias = "dict[str, Json]"

HEADERS = {"x-api-key": "test-key", "anthropic-version": "2023-06-01"}
CACHED: Json = {"type": "ephemeral"}
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def text(words: str, **more: Json) -> Json:
    return {"type": "text", "text": words, **more}


def use(name: str, tool: str = "read") -> Json:
    return {"type": "tool_use", "id": name, "name": tool, "input": {}}


def result(name: str, **more: Json) -> Json:
    return {"type": "tool_result", "tool_use_id": name, "content": "ok", **more}


def picture(media_type: str = "image/png", data: str = PNG, kind: str = "base64") -> Json:
    source: Json = {"type": kind, "media_type": media_type, "data": data}
    return {"type": "image", "source": source}


def thinking(words: str, signature: str | None = None, **more: Json) -> Json:
    signature = sign(words) if signature is None else signature
    return {"type": "thinking", "thinking": words, "signature": signature, **more}


def tool(name: str = "read", **more: Json) -> Json:
    schema: Json = {"type": "object", "properties": {}}
    return {"name": name, "description": "Reads.", "input_schema": schema, **more}


def asks(*content: Json) -> Json:
    return {"role": "user", "content": list(content)}


def says(*content: Json) -> Json:
    return {"role": "assistant", "content": list(content)}


def body(*messages: Json, **more: Json) -> Body:
    request: Body = {
        "model": "claude-sonnet-5",
        "max_tokens": 100,
        "stream": True,
        "system": "You build.",
        "tools": [tool()],
        "messages": list(messages) or [asks(text("Hello"))],
    }
    return {**request, **more}


def without(field: str) -> Body:
    return {name: value for name, value in body().items() if name != field}


GO = asks(text("Go"))
PAIR = (GO, says(use("a"), use("b")))

REFUSED: list[tuple[str, Body]] = [
    ("max_tokens: Field required", without("max_tokens")),
    ("max_tokens: Input should be greater than", body(max_tokens=0)),
    ("model: Field required", without("model")),
    ("messages: Field required", without("messages")),
    ("messages: List should have at least 1 item", {**body(), "messages": []}),
    ("stream: Input should be True", body(stream=False)),
    ("temperatur: Extra inputs are not permitted", body(temperatur=1)),
    ("first message must use", body(says(text("Hi")), GO)),
    ("user messages must have non-empty content", body(asks())),
    ("assistant messages must have non-empty content", body(GO, says(), GO)),
    ("must contain non-whitespace text", body(asks(text("")))),
    ("must contain non-whitespace text", body(asks(text(" \n")))),
    ("must contain non-whitespace text", body(system=[text("")])),
    ("without `tool_result` blocks immediately after: a, b", body(*PAIR)),
    ("immediately after: b", body(*PAIR, asks(result("a")))),
    ("immediately after: b", body(*PAIR, asks(result("a")), asks(result("b")))),
    ("immediately after: a, b", body(*PAIR, GO, asks(result("a"), result("b")))),
    ("unexpected `tool_use_id`", body(asks(result("a")))),
    ("unexpected `tool_use_id`", body(*PAIR, asks(result("a"), result("b"), result("c")))),
    ("must have a single result", body(*PAIR, asks(result("a"), result("b"), result("b")))),
    ("must come first", body(*PAIR, asks(result("a"), text("And"), result("b")))),
    ("ids must be unique", body(GO, says(use("a"), use("a")), asks(result("a")))),
    (
        "ids must be unique",
        body(GO, says(use("a")), asks(result("a")), says(use("a")), asks(result("a"))),
    ),
    ("is not among the tools", body(GO, says(use("a", "write")), asks(result("a")))),
    ("id: String should match pattern", body(GO, says(use("a b")), asks(result("a b")))),
    ("can only be in `user`", body(GO, says(result("a")), GO)),
    ("can only be in `assistant`", body(asks(use("a")), asks(result("a")))),
    (
        "content cannot be empty if `is_error`",
        body(*PAIR, asks(result("a", is_error=True, content=""), result("b"))),
    ),
    ("Found 5", body(asks(*(text("T", cache_control=CACHED) for _ in range(5))))),
    (
        "Found 5",
        body(
            asks(*(text("T", cache_control=CACHED) for _ in range(3))),
            system=[text("S", cache_control=CACHED)],
            tools=[tool(cache_control=CACHED)],
        ),
    ),
    (
        "cache_control: Extra inputs",
        body(GO, says(thinking("Hm", cache_control=CACHED), text("So")), GO),
    ),
    ("cannot be `thinking`", body(GO, says(thinking("Hm")), GO)),
    ("Invalid `signature`", body(GO, says(thinking("Hm", "bm8="), text("So")), GO)),
    ("Invalid `signature`", body(GO, says(thinking("Hm!", sign("Hm")), text("So")), GO)),
    ("Invalid `data`", body(GO, says({"type": "redacted_thinking", "data": "x"}, text("So")), GO)),
    ("cannot end with trailing whitespace", body(GO, says(text("So ")))),
    ("Tool names must be unique", body(tools=[tool(), tool()])),
    ("name: String should match pattern", body(tools=[tool("read it")])),
    ("input_schema: Field required", body(tools=[{"name": "read"}])),
    ("Input should be 'object'", body(tools=[tool(input_schema={"type": "string"})])),
    (
        "JSON schema is invalid",
        body(tools=[tool(input_schema={"type": "object", "properties": []})]),
    ),
    ("media_type: Input should be 'image/png'", body(asks(picture("image/webp")))),
    ("type: Input should be 'base64'", body(asks(picture(kind="url")))),
    ("does not match the provided media type", body(asks(picture(data="AAAA")))),
    ("data: Value error", body(asks(picture(data="not base64")))),
    ("role: Input should be 'user' or 'assistant'", body({"role": "system", "content": "Hi"})),
]

ACCEPTED: list[Body] = [
    body(),
    body({"role": "user", "content": "Hi"}),
    body(system=[text("S", cache_control=CACHED)], tools=[tool(cache_control=CACHED)]),
    body(*PAIR, asks(result("b"), result("a"), text("And now?"))),
    body(GO, says(thinking("Hm"), use("a")), asks(result("a", content=[text("x"), picture()]))),
    body(GO, says({"type": "redacted_thinking", "data": seal("s")}, text("So")), GO),
    body(GO, GO, says(text("So"))),
    body(asks(picture(), text("What is it?"))),
]


@pytest.fixture
async def provider() -> AsyncIterator[StrictProvider]:
    async with StrictProvider(lambda view: Turn(say="Fine.")) as provider:
        yield provider


@pytest.fixture
async def client(provider: StrictProvider) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=provider.base_url, headers=HEADERS) as client:
        yield client


async def error_of(client: httpx2.AsyncClient, request: Body) -> tuple[int, str, str]:
    answer = await client.post("/v1/messages", json=request)
    told = answer.json()
    assert told["type"] == "error"
    assert told["request_id"] == answer.headers["request-id"]
    return answer.status_code, told["error"]["type"], told["error"]["message"]


@pytest.mark.parametrize(("complaint", "request_body"), REFUSED, ids=lambda value: str(value)[:40])
async def test_it_refuses(
    provider: StrictProvider, client: httpx2.AsyncClient, complaint: str, request_body: Body
) -> None:
    status, kind, message = await error_of(client, request_body)
    assert (status, kind) == (400, "invalid_request_error")
    assert complaint in message
    (refusal,) = provider.refusals
    assert refusal.message == message
    assert provider.bill == ()
    assert provider.requests == ()


@pytest.mark.parametrize("request_body", ACCEPTED)
async def test_it_accepts(
    provider: StrictProvider, client: httpx2.AsyncClient, request_body: Body
) -> None:
    answer = await client.post("/v1/messages", json=request_body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["request-id"] == provider.bill[0].provider_request_id
    assert provider.refusals == ()
    assert answer.text.endswith('event: message_stop\ndata: {"type": "message_stop"}\n\n')


async def test_it_refuses_what_is_no_json(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/messages", content=b"{")
    assert answer.status_code == 400


async def test_it_wants_a_key_and_a_version(
    provider: StrictProvider, client: httpx2.AsyncClient
) -> None:
    for change, status, kind in (
        ({"x-api-key": "wrong"}, 401, "authentication_error"),
        ({"x-api-key": ""}, 401, "authentication_error"),
        ({"anthropic-version": ""}, 400, "invalid_request_error"),
    ):
        answer = await client.post("/v1/messages", json=body(), headers=change)
        assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    bearer = {"x-api-key": "", "authorization": "Bearer test-key"}
    assert (await client.post("/v1/messages", json=body(), headers=bearer)).status_code == 200
    assert len(provider.refusals) == 3


async def test_it_does_not_know_every_model(client: httpx2.AsyncClient) -> None:
    status, kind, message = await error_of(client, body(model="claude-sonnet-99"))
    assert (status, kind, message) == (404, "not_found_error", "model: claude-sonnet-99")
    async with StrictProvider([Turn(say="Fine.")], models=["claude-opus-5"]) as limited:
        answer = await client.post(f"{limited.base_url}/v1/messages", json=body())
        assert answer.status_code == 404


async def test_it_misses_the_thinking_that_it_sent(provider: StrictProvider) -> None:
    provider.play([Turn(think="Hm.", redacted="s", tools=(ToolCall("read"),)), Turn(say="Done.")])
    async with httpx2.AsyncClient(base_url=provider.base_url, headers=HEADERS) as client:
        sent = (await client.post("/v1/messages", json=body(GO))).text
        (call,) = re.findall(r'"id": "(toolu_\w+)"', sent)
        hidden: Json = {"type": "redacted_thinking", "data": seal("s")}
        for kept in ([], [thinking("Hm.")], [hidden, thinking("Hm.")]):
            request = body(GO, says(*kept, use(call)), asks(result(call)))
            status, _, message = await error_of(client, request)
            assert status == 400
            assert "Expected `thinking` or `redacted_thinking`" in message
        whole = body(GO, says(thinking("Hm."), hidden, use(call)), asks(result(call)))
        assert (await client.post("/v1/messages", json=whole)).status_code == 200


def growing(count: int, mark: Callable[[list[Json]], None]) -> Body:
    """A conversation of `count` exchanges; `mark` sets its breakpoints."""
    messages: list[Json] = [asks(text("Start " * 20))]
    for index in range(count):
        messages += [says(text(f"{index} " * 40)), asks(text(f"{index} " * 20))]
    mark(messages)
    return {**body(), "messages": messages}


def mark_last(messages: list[Json]) -> None:
    last = copy.deepcopy(messages[-1])
    assert isinstance(last, dict)
    content = last["content"]
    assert isinstance(content, list)
    block = content[-1]
    assert isinstance(block, dict)
    block["cache_control"] = CACHED
    messages[-1] = last


async def test_a_cached_prefix_is_read_until_it_expires() -> None:
    now_s = 0.0
    async with (
        StrictProvider(lambda view: Turn(say="Fine."), monotonic_s=lambda: now_s) as provider,
        httpx2.AsyncClient(base_url=provider.base_url, headers=HEADERS) as client,
    ):
        # Reading at 200 s renews the first entry, so that it still lives at 450 s.
        for exchanges, at_s in ((0, 0), (1, 200), (2, 450), (3, 750)):
            now_s = float(at_s)
            await client.post("/v1/messages", json=growing(exchanges, mark_last))
        used = [row.usage for row in provider.bill]
        assert used[0].cache_read_tokens == 0
        assert used[1].cache_read_tokens == used[0].cache_write_tokens
        assert used[2].cache_read_tokens == used[1].prompt_tokens
        assert used[3].cache_read_tokens == 0
        assert all(usage.input_tokens == 0 for usage in used)


async def test_without_breakpoints_nothing_is_cached(
    provider: StrictProvider, client: httpx2.AsyncClient
) -> None:
    for _ in range(2):
        await client.post("/v1/messages", json=growing(2, lambda messages: None))
    for row in provider.bill:
        assert row.usage.cache_read_tokens == row.usage.cache_write_tokens == 0
        assert row.usage.input_tokens > 0


async def test_a_prefix_too_far_back_is_not_found(
    provider: StrictProvider, client: httpx2.AsyncClient
) -> None:
    await client.post("/v1/messages", json=growing(1, mark_last))
    await client.post("/v1/messages", json=growing(12, mark_last))
    assert provider.bill[1].usage.cache_read_tokens == 0
