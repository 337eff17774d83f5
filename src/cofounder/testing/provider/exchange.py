"""One HTTP exchange as plain ASGI, with the two things that ASGI has no words for:
tearing the connection down, and waiting until the client is gone."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TypeAlias

from cofounder.domain.json_types import JsonValue

AsgiMessage: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]


class Exchange:
    """A request and its answer. `transport` is the connection's own."""

    def __init__(
        self,
        scope: Mapping[str, object],
        receive: Receive,
        send: Send,
        transport: asyncio.BaseTransport,
    ) -> None:
        self.method = str(scope["method"])
        self.path = str(scope["path"])
        self._raw_headers = scope["headers"]
        self._receive = receive
        self._send = send
        self._transport = transport
        self._gone: asyncio.Task[None] | None = None

    def header(self, name: str) -> str:
        """A request header, or an empty text. `name` is in lower case."""
        if isinstance(self._raw_headers, Iterable):
            for key, value in self._raw_headers:
                if key == name.encode():
                    return bytes(value).decode("latin-1")
        return ""

    async def body(self) -> bytes:
        """The whole request body."""
        chunks: list[bytes] = []
        while True:
            message = await self._receive()
            chunk = message.get("body", b"")
            if isinstance(chunk, bytes):
                chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def answer_json(
        self, status: int, payload: JsonValue, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole answer."""
        await self.start(status, {"content-type": "application/json", **(headers or {})})
        await self.write(json.dumps(payload).encode(), more=False)

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status and the headers."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """Send a piece of the answer's body; the last one has no more after it."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def pause(self, seconds: float | None) -> bool:
        """Wait, without a limit for None. False: the client went away meanwhile."""
        if self._gone is None:
            self._gone = asyncio.ensure_future(self._until_gone())
        await asyncio.wait({self._gone}, timeout=seconds)
        return not self._gone.done()

    async def cut(self) -> None:
        """Tear the connection down, and wait until it is."""
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()
        await self.pause(None)

    def close(self) -> None:
        """Stop watching for the client."""
        if self._gone is not None:
            self._gone.cancel()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
