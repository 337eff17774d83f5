"""The running service over HTTP, found through its data directory."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import httpx2

from cofounder.cli.errors import RefusedError
from cofounder.domain.errors import CofounderError, ConfigurationError
from cofounder.domain.json_types import JsonObject

_TIMEOUT = httpx2.Timeout(30.0, connect=5.0)


class UnreachableError(ConfigurationError):
    """The service is not running, does not answer, or cannot for now (503)."""

    code = "unreachable"


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a service is, and the token that opens it."""

    url: str
    token: str


def path_of(*parts: str) -> str:
    """A path of the API; what a person typed cannot lead to another one."""
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def find_service(data_dir: Path) -> Address:
    """What the service of this data directory left there at its start.

    Raises `UnreachableError` when none is running.
    """
    try:
        announced = json.loads((data_dir / "service.json").read_text(encoding="utf-8"))
        url, token = announced["url"], (data_dir / "token").read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise _not_running(data_dir) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreachableError(
            f"The service's address in {data_dir} cannot be read: {error}.",
            cure="Run this as the user who started the service, or start it again: cofounder up",
        ) from error
    return Address(url=str(url), token=token)


def _not_running(data_dir: Path) -> UnreachableError:
    return UnreachableError(f"No service is running for {data_dir}.", cure="Start it: cofounder up")


def _refused(status: int, body: bytes) -> CofounderError:
    """A service that cannot answer now is as good as one that is silent: both pass."""
    refused = RefusedError(status, body)
    if status != HTTPStatus.SERVICE_UNAVAILABLE:
        return refused
    return UnreachableError(refused.message, cure=refused.cure)


class Service:
    """Requests and their answers as JSON bytes; use it as a context manager.

    Every method raises `RefusedError` for a refusal and `UnreachableError` for silence.
    """

    def __init__(self, data_dir: Path) -> None:
        """Raises `UnreachableError` when no service is running."""
        self._data_dir = data_dir
        # The service is on this machine: a proxy of the environment has no business here.
        self._http = httpx2.AsyncClient(timeout=_TIMEOUT, trust_env=False)
        self.locate()

    async def __aenter__(self) -> "Service":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    def locate(self) -> None:
        """Read the address again: a service that was restarted may have another one."""
        address = find_service(self._data_dir)
        self._http.base_url = httpx2.URL(address.url)
        self._http.headers["Authorization"] = f"Bearer {address.token}"

    async def get(self, path: str, **query: str | int | Sequence[str]) -> bytes:
        """Read something."""
        return await self._asked(self._http.build_request("GET", path, params=query))

    async def post(self, path: str, body: JsonObject, *, key: str | None = None) -> bytes:
        """Do something; `key` makes a repeated request count once."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self._asked(self._http.build_request("POST", path, json=body, headers=headers))

    async def put(self, path: str, body: JsonObject) -> bytes:
        """Replace something."""
        return await self._asked(self._http.build_request("PUT", path, json=body))

    @asynccontextmanager
    async def stream(
        self, path: str, *, last_event_id: str, silence_s: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """An open event stream as chunks; `silence_s` without any ends it with an error.

        Raises `UnreachableError` also when it breaks off later.
        """
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last_event_id}
        timeout = httpx2.Timeout(silence_s, connect=5.0)
        try:
            async with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if answer.status_code != 200:
                    raise _refused(answer.status_code, await answer.aread())
                yield answer.aiter_bytes()
        except httpx2.TransportError as error:
            raise self._silent(error) from error

    async def _asked(self, request: httpx2.Request) -> bytes:
        try:
            answer = await self._http.send(request)
        except httpx2.TransportError as error:
            raise self._silent(error) from error
        if answer.is_error:
            raise _refused(answer.status_code, answer.content)
        return answer.content

    def _silent(self, error: httpx2.TransportError) -> UnreachableError:
        if isinstance(error, httpx2.ConnectError):
            return UnreachableError(
                f"No service answers at {self._http.base_url}: it has ended without a goodbye.",
                cure="Start it again: cofounder up",
            )
        return UnreachableError(
            f"The service at {self._http.base_url} does not answer ({type(error).__name__}).",
            cure="Look at its log, or at: cofounder doctor",
        )
