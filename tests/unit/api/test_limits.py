import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from cofounder.api.limits import BodyLimit, FailureGuard

pytestmark = pytest.mark.anyio
SCOPE: Scope = {"type": "http", "method": "POST", "path": "/x", "headers": []}


class Client:
    """Sends the body in these parts, then hangs up; keeps what it is sent."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self._parts:
            return {"type": "http.disconnect"}
        body = self._parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(self._parts)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


async def test_the_body_is_handed_on_whole_and_then_the_connection() -> None:
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([await receive(), await receive()])

    client = Client(b"one ", b"two")
    await BodyLimit(app)(SCOPE, client.receive, client.send)
    assert seen[0] == {"type": "http.request", "body": b"one two", "more_body": False}
    assert seen[1] == {"type": "http.disconnect"}


async def test_nothing_happens_for_a_client_that_hangs_up_in_its_request() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    client = Client()
    await BodyLimit(app)(SCOPE, client.receive, client.send)
    assert client.sent == []


@pytest.mark.parametrize("began", [False, True])
async def test_a_defect_is_logged_and_answered_if_it_still_can_be(*, began: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if began:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("secret")

    client = Client()
    with capture_logs() as logged:
        await FailureGuard(app)(SCOPE, client.receive, client.send)
    assert [entry["event"] for entry in logged] == ["request_failed"]
    assert client.sent[0]["status"] == (200 if began else 500)
    assert len(client.sent) == (1 if began else 2)
    assert b"secret" not in client.sent[-1].get("body", b"")
