"""The HTTP server, inside an event loop that somebody else runs."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from cofounder.api.access import LOOPBACK
from cofounder.api.app import Application
from cofounder.domain.errors import ConfigurationError
from cofounder.ports.clock import Clock

_BACKLOG = 2048
# How long a client may take to read what it was sent before the server stops.
_STUCK_AFTER_S = 0.3
_LAST_REQUESTS_S = 5


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on the loopback interface; `port` 0 means any free one.

    Raises `ConfigurationError` for another host, and for a port that cannot be had.
    """
    if host not in LOOPBACK:
        raise ConfigurationError(
            f"The host {host} is not on the loopback interface; with the local token the "
            "service listens nowhere else.",
            cure="Use --host 127.0.0.1, and a tunnel or a proxy with TLS to reach it.",
        )
    address = "127.0.0.1" if host == "localhost" else host
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise _not_bound(host, port, error) from error
    return listener


def _not_bound(host: str, port: int, error: Exception) -> ConfigurationError:
    in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
    why = "is used by another program" if in_use else f"cannot be used: {error}"
    return ConfigurationError(
        f"The port {port} on {host} {why}.",
        cure="Choose another with --port, or any free one with --port 0.",
    )


class Server(uvicorn.Server):
    """`await server.serve(sockets=[bind(…)])` serves until `stop()` was called.

    Signals are the caller's. Open streams do not hold up the end.
    """

    def __init__(self, app: Application, *, clock: Clock) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_LAST_REQUESTS_S,
            )
        )
        self._app, self._clock = app, clock

    def stop(self) -> None:
        """Stop listening, end streams, and let running requests come to their end."""
        self.should_exit = True
        self._app.end_streams()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take over no signals."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by the server itself when it is to stop."""
        self._app.end_streams()
        hang_up = asyncio.create_task(self._hang_up_on_stuck())
        try:
            await super().shutdown(sockets)
        finally:
            hang_up.cancel()

    async def _hang_up_on_stuck(self) -> None:
        """A client that does not read would hold its connection, and the server, for ever."""
        await self._clock.sleep(_STUCK_AFTER_S)
        for connection in list(self.server_state.connections):
            if connection.transport.get_write_buffer_size():
                connection.transport.abort()
