"""Who may come in: checks of Host, Origin and token, before any route is looked at.

A page of another origin can send requests to the loopback interface, and can make its own
name resolve to it, so that being local proves nothing.
"""

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cofounder.api.problems import problem, rendered
from cofounder.domain.ids import OwnerId
from cofounder.ports.auth import Authenticator

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OWNER_KEY = "cofounder.owner_id"
# Probes come by whatever address they know, and learn nothing but that the service is there.
OPEN_PATHS = frozenset({"/api/health/live", "/api/health/ready"})

_WRONG_HOST = problem(
    421,
    "wrong_host",
    "This service does not answer to that host name.",
    cure="Use the address that the service named when it started.",
)
_WRONG_ORIGIN = problem(
    403,
    "wrong_origin",
    "A page of another origin asked.",
    cure="Open the service's own page.",
)
_NO_TOKEN = problem(
    401,
    "unauthenticated",
    "The token is missing or wrong.",
    cure="Send 'Authorization: Bearer TOKEN'; 'cofounder token' shows it.",
)


class HostAndOrigin:
    """Refuses names that are not the service's own, and pages of other origins."""

    def __init__(self, app: ASGIApp, allowed_hosts: Collection[str]) -> None:
        """`allowed_hosts` without ports; loopback names are always allowed."""
        self._app = app
        self._allowed = LOOPBACK | {host.lower() for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse with 421 or 403."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if _name(host) not in self._allowed:
            return await rendered(_WRONG_HOST)(scope, receive, send)
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}", f"https://{host}"}:
            return await rendered(_WRONG_ORIGIN)(scope, receive, send)
        return await self._app(scope, receive, send)


class TokenRequired:
    """Finds the owner by the token, or refuses with 401.

    The token comes as a bearer token, or as the cookie that a page gets when it is opened
    with `?token=…` (an EventSource can send no headers).
    """

    def __init__(self, app: ASGIApp, auth: Authenticator) -> None:
        self._app, self._auth = app, auth

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the owner in the scope, set the cookie, or refuse."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if (token := _token_in_address(scope)) is not None and self._owner(token):
            return await _with_cookie(scope, headers, token)(scope, receive, send)
        owner_id = self._owner(_token_in_headers(headers))
        if owner_id is None:
            refusal = rendered(_NO_TOKEN, {"WWW-Authenticate": "Bearer"})
            return await refusal(scope, receive, send)
        scope[OWNER_KEY] = owner_id
        return await self._app(scope, receive, send)

    def _owner(self, token: str | None) -> OwnerId | None:
        return self._auth.owner_of(token) if token else None


def _name(host: str) -> str:
    """The host without its port: `[::1]:8484` is `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _cookie_name(headers: Headers) -> str:
    """Cookies do not know ports, but two services on one machine must not share theirs."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"cofounder-{port}" if port.isdecimal() else "cofounder"


def _token_in_headers(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme:
        return token.strip() if scheme.lower() == "bearer" else None
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    wanted = _cookie_name(headers)
    return next((value for name, _, value in pairs if name == wanted), None)


def _token_in_address(scope: Scope) -> str | None:
    """Only a page may be opened like this: addresses end up in histories and logs."""
    if scope["method"] != "GET" or scope["path"].startswith("/api/"):
        return None
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token")


def _with_cookie(scope: Scope, headers: Headers, token: str) -> RedirectResponse:
    """The same page once more, its address without the token."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in query if name != "token"])
    # One slash only: two would name another host.
    path = "/" + scope["path"].lstrip("/\\")
    answer = RedirectResponse(f"{path}?{kept}" if kept else path, status_code=303)
    answer.set_cookie(_cookie_name(headers), token, httponly=True, samesite="strict")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
