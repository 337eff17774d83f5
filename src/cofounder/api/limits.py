"""The outer bounds of a request: how large its body may be, and that it always ends well."""

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cofounder.api.problems import internal_error, problem, rendered

MAX_BODY_BYTES = 1 << 20
_LOG = structlog.get_logger(__name__)
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
_TOO_LARGE = problem(
    413,
    "body_too_large",
    f"The body has more than {MAX_BODY_BYTES} bytes.",
    cure="Send less; long texts belong into files of the workspace.",
)


class BodyLimit:
    """Reads the body, so that one that is too large is refused before anything happens."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the whole body, or refuse with 413."""
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            return await self._app(scope, receive, send)
        body = bytearray()
        more = _declared_length(scope) <= MAX_BODY_BYTES
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False) and len(body) <= MAX_BODY_BYTES
        if max(len(body), _declared_length(scope)) > MAX_BODY_BYTES:
            return await rendered(_TOO_LARGE)(scope, receive, send)
        return await self._app(scope, _replayed(bytes(body), receive), send)


def _declared_length(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _replayed(body: bytes, receive: Receive) -> Receive:
    read = False

    async def replay() -> Message:
        nonlocal read
        if read:
            return await receive()
        read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


class FailureGuard:
    """The outermost layer: a defect is logged here, and answered if nothing was sent yet."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; no exception leaves this."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        except Exception:  # whatever the defect, its traceback belongs into the log only
            _LOG.exception("request_failed", method=scope["method"], path=scope["path"])
            if not started:
                await internal_error()(scope, receive, send)
        return None
