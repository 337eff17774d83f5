"""The strict provider as a server on the loopback interface, inside the caller's event loop."""

import asyncio
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Self, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cofounder.testing.provider.billing import BillRow
from cofounder.testing.provider.endpoint import Endpoint, Refusal, RequestRecord
from cofounder.testing.provider.exchange import Exchange, Receive, Send
from cofounder.testing.provider.script import Dynamic, RequestView, Script, Turn


class StrictProvider:
    """An Anthropic Messages endpoint that plays a script, and refuses what the real one refuses.

    `async with StrictProvider(turns) as provider:` serves at `provider.base_url`. `models`
    limits the models that it knows; otherwise it is those that genai-prices knows.
    `monotonic_s` tells the seconds by which cached prefixes expire; without it they do not.
    """

    def __init__(
        self,
        script: Script | Sequence[Turn] | Dynamic,
        *,
        api_key: str = "test-key",
        models: Collection[str] | None = None,
        port: int = 0,
        monotonic_s: Callable[[], float] | None = None,
    ) -> None:
        self.api_key = api_key
        self._endpoint = Endpoint(
            _whole(script),
            api_key=api_key,
            models=models,
            monotonic_s=monotonic_s or (lambda: 0.0),
        )
        self._wanted_port = port
        self._port = 0
        self._server: uvicorn.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def base_url(self) -> str:
        """What `ANTHROPIC_BASE_URL` has to be."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def bill(self) -> tuple[BillRow, ...]:
        """What has to be paid, call by call, in the order in which they ended."""
        return tuple(self._endpoint.bill)

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """Every request that was accepted, in order."""
        return tuple(self._endpoint.requests)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every request that was not; a test of a client asserts that there is none."""
        return tuple(self._endpoint.refusals)

    @property
    def views(self) -> tuple[RequestView, ...]:
        """The last accepted requests, whole."""
        return tuple(self._endpoint.views)

    @property
    def connection_count(self) -> int:
        """How many connections are open."""
        return 0 if self._server is None else len(self._server.server_state.connections)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; it is asked again whenever a call begins, is billed, or ends."""
        while not condition():
            await self._endpoint.progress.wait()

    def play(self, script: Script | Sequence[Turn] | Dynamic) -> None:
        """Go on with another script; bill and caches stay."""
        self._endpoint.play(_whole(script))

    async def __aenter__(self) -> Self:
        """Listen."""
        # The socket is bound here, so that the port is known before the server starts.
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._wanted_port))
        self._port = listener.getsockname()[1]
        self._endpoint.id_prefix = f"req_{self._port}"
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=None,
            access_log=False,
            proxy_headers=False,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        # `Server.serve` would take over the signals of the process that hosts us.
        await server.startup(sockets=[listener])
        self._server = server
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and hang up on whoever is still connected."""
        server, self._server = self._server, None
        if server is None:
            return
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        await asyncio.gather(*server.server_state.tasks)

    async def _serve(self, scope: Mapping[str, object], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        state = cast("Mapping[str, asyncio.BaseTransport]", scope["state"])
        await self._endpoint.serve(Exchange(scope, receive, send, state["transport"]))


class _Connection(H11Protocol):
    """Hands its transport to the application, which has faults to play with it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self.app_state = {**self.app_state, "transport": transport}


def _whole(script: Script | Sequence[Turn] | Dynamic) -> Script:
    return script if isinstance(script, Script) else Script(default=script)
