"""Following a job until it ends: the status first, then its events, one by one."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from cofounder.api.schemas.jobs import StatusOut
from cofounder.cli.client import Service, UnreachableError, path_of
from cofounder.cli.errors import ExitCode
from cofounder.cli.event_stream import Alive, EventStream, Item, Lost, Reset
from cofounder.cli.machine import Machine
from cofounder.cli.screens import Moment, Screen
from cofounder.cli.view_state import ViewState, applied, opened
from cofounder.domain.events import Envelope
from cofounder.domain.session import SessionState

_TICK_S = 0.5
# Events that come within this time are shown together.
_BATCH_S = 0.05
# What events do not tell: this job's own cost, and what the owner's other jobs spend.
_REFRESH_S = 3.0


_ENDED = {
    SessionState.COMPLETED: ExitCode.OK,
    SessionState.CANCELLED: ExitCode.FAILURE,
    SessionState.ERROR: ExitCode.FAILURE,
}
_IDLE = {
    SessionState.SLEEPING: ExitCode.BUDGET,
    SessionState.BUDGET_EXCEEDED: ExitCode.BUDGET,
    SessionState.WAITING_FOR_INPUT: ExitCode.NEEDS_HUMAN,
    SessionState.PAUSED: ExitCode.NEEDS_HUMAN,
}


def ending(state: SessionState, *, until_idle: bool) -> ExitCode | None:
    """How a watch ends in this state; None while there is more to see."""
    return (_ENDED | _IDLE if until_idle else _ENDED).get(state)


class Watch:
    """One job, watched."""

    def __init__(self, service: Service, machine: Machine, screen: Screen) -> None:
        """The screen is told of everything; it decides what to show."""
        self._service, self._machine, self._screen = service, machine, screen
        self._arrived: asyncio.Queue[Item] = asyncio.Queue()
        self._lost_at_s: float | None = None
        self._read_at_s = 0.0

    async def follow(self, job_id: str, *, until_idle: bool) -> ExitCode:
        """Show the job until it ends, or stands still.

        Raises `RefusedError` when there is no such job.
        """
        view = await self._read(job_id, None)
        stream = EventStream(self._service, self._machine, view)
        reader = asyncio.create_task(stream.follow(self._arrived))
        try:
            with self._screen.opened():
                self._screen.show(view, self._moment())
                while (ended := ending(view.state, until_idle=until_idle)) is None:
                    view = await self._next(view)
                    if reader.done():
                        reader.result()
                    self._screen.show(view, self._moment())
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        with suppress(UnreachableError):
            view = await self._read(job_id, view)
        self._screen.closed(view, self._moment())
        return ended

    async def _next(self, view: ViewState) -> ViewState:
        """Wait for something to happen, or for a moment, and take it in."""
        for item in await self._batch():
            view = self._taken(view, item)
        due = self._machine.clock.monotonic_s() - self._read_at_s >= _REFRESH_S
        if view.stale or (due and self._lost_at_s is None):
            try:
                return await self._read(view.job_id, view)
            except UnreachableError:
                # The stream may still stand, but there is nothing in it without the database.
                self._note_loss()
        return view

    async def _batch(self) -> list[Item]:
        items: list[Item] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                items.append(await self._arrived.get())
        if items:
            await self._machine.clock.sleep(_BATCH_S)
        while not self._arrived.empty():
            items.append(self._arrived.get_nowait())
        return items

    def _taken(self, view: ViewState, item: Item) -> ViewState:
        match item:
            case Lost():
                self._note_loss()
                return view
            case Alive():
                self._lost_at_s = None
                return view
            case Reset():
                return replace(view, stale=True)
            case Envelope():
                self._lost_at_s = None
                self._screen.told(item)
                return applied(view, item)

    def _note_loss(self) -> None:
        if self._lost_at_s is None:
            self._lost_at_s = self._machine.clock.monotonic_s()

    async def _read(self, job_id: str, known: ViewState | None) -> ViewState:
        answer = await self._service.get(path_of("jobs", job_id, "status"))
        clock = self._machine.clock
        self._read_at_s = clock.monotonic_s()
        return opened(StatusOut.model_validate_json(answer), clock.now(), known)

    def _moment(self) -> Moment:
        clock = self._machine.clock
        away_s = 0.0 if self._lost_at_s is None else clock.monotonic_s() - self._lost_at_s
        return Moment(now=clock.now(), offline_s=away_s)
