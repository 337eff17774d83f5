"""A job's events as they happen: server-sent events, read through every interruption."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from cofounder.cli.client import Service, UnreachableError, path_of
from cofounder.cli.errors import RefusedError
from cofounder.cli.machine import Machine
from cofounder.cli.view_state import ViewState
from cofounder.domain.events import Envelope, decode_event

# The service sends a ping well within this time.
SILENCE_S = 45.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 5.0
_FINAL = frozenset({401, 403, 404})


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One server-sent event; `name` is `message` where the stream names none."""

    name: str
    id: str
    data: str


async def sent_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Sent]:
    """Cut a byte stream into events.

    Lines end at line feeds only: JSON may hold other characters that Unicode calls line ends.
    """
    fields: dict[str, list[str]] = {}
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in (raw.removesuffix(b"\r").decode(errors="replace") for raw in lines):
            if line:
                name, _, value = line.partition(":")
                fields.setdefault(name, []).append(value.removeprefix(" "))
            elif fields:
                yield _sent(fields)
                fields = {}


def _sent(fields: dict[str, list[str]]) -> Sent:
    return Sent(
        name=fields.get("event", ["message"])[-1],
        id=fields.get("id", [""])[-1],
        data="\n".join(fields.get("data", [])),
    )


@dataclass(frozen=True, kw_only=True)
class Lost:
    """The connection broke; it is being made again."""


@dataclass(frozen=True, kw_only=True)
class Alive:
    """The connection stands."""


@dataclass(frozen=True, kw_only=True)
class Reset:
    """The service cannot go on from where we were: the status has to be read."""


Item: TypeAlias = Envelope | Lost | Alive | Reset


class EventStream:
    """The events of one job after a position, for as long as somebody reads."""

    def __init__(self, service: Service, machine: Machine, view: ViewState) -> None:
        """It begins after the last event that `view` knows."""
        self._service, self._machine = service, machine
        self._path = path_of("jobs", view.job_id, "events", "stream")
        self._position = f"{view.epoch}:{view.last_seq}"

    async def follow(self, into: asyncio.Queue[Item]) -> None:
        """Put what happens into the queue until cancelled.

        Raises `RefusedError` when the job or the permission is gone.
        """
        failures = 0
        while True:
            try:
                async for item in self._connected():
                    failures = 0
                    into.put_nowait(item)
            except UnreachableError:
                pass
            except RefusedError as problem:
                if problem.status in _FINAL:
                    raise
            into.put_nowait(Lost())
            await self._machine.clock.sleep(self._wait_s(failures))
            failures += 1

    def _wait_s(self, failures: int) -> float:
        longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(failures, 10))
        return longest * (0.5 + self._machine.ids.jitter() / 2)

    async def _connected(self) -> AsyncIterator[Item]:
        self._service.locate()
        opening = self._service.stream(
            self._path, last_event_id=self._position, silence_s=SILENCE_S
        )
        async with opening as chunks:
            yield Alive()
            async for sent in sent_events(chunks):
                yield self._item(sent)

    def _item(self, sent: Sent) -> Item:
        if sent.name == "ping" or not sent.data:
            return Alive()
        self._position = sent.id or self._position
        if sent.name == "reset":
            return Reset()
        try:
            return decode_event(sent.data)
        except ValidationError:
            # An event of a later version: only its place in the order matters here.
            return Envelope.model_validate_json(sent.data)
