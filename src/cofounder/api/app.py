"""The application: checks outside, routes inside, all of it plain ASGI."""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from cofounder.api.access import HostAndOrigin, TokenRequired
from cofounder.api.hub import Hub
from cofounder.api.limits import BodyLimit, FailureGuard
from cofounder.api.openapi import build_api
from cofounder.api.stream import Streams
from cofounder.ports.auth import Authenticator
from cofounder.services.bundle import Services


@dataclass(frozen=True, kw_only=True)
class ApiConfig:
    """`allowed_hosts` are names without ports, besides the loopback names."""

    allowed_hosts: tuple[str, ...]
    version: str
    ping_s: float = 15.0


class Application:
    """An ASGI application that can end its open streams.

    `api` is the FastAPI application inside, to which a page can be added.
    """

    def __init__(self, api: FastAPI, outermost: ASGIApp, hub: Hub) -> None:
        self.api = api
        self._outermost, self._hub = outermost, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._outermost(scope, receive, send)

    def end_streams(self) -> None:
        """The server stops: all streams end at once, and later ones too."""
        self._hub.close()


def create_app(services: Services, auth: Authenticator, *, config: ApiConfig) -> Application:
    """Everything under /api and /metrics, with its checks of host, origin, token and size."""
    api = build_api(config.version)
    hub = Hub(bus=services.bus, clock=services.clock, ping_s=config.ping_s)
    api.state.services, api.state.hub = services, hub
    checked = HostAndOrigin(TokenRequired(BodyLimit(Streams(api)), auth), config.allowed_hosts)
    return Application(api, FailureGuard(checked), hub)
