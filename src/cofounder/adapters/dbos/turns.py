"""The turns that run in this process, and the one DBOS workflow that runs them."""

import asyncio

import structlog
from dbos import DBOS

from cofounder.domain.errors import ConfigurationError
from cofounder.domain.ids import SessionId
from cofounder.ports.clock import Clock
from cofounder.ports.engine import TurnHandler

WORKFLOW = "advance"

_LOG = structlog.get_logger(__name__)


class _LeftPending(BaseException):
    """Ends a workflow without an outcome, so that it is dispatched again.

    DBOS records what it can catch as `Exception` and nothing else.
    """


class Turns:
    """Runs turns until it is asked to stop, then lets none begin."""

    def __init__(self, handler: TurnHandler) -> None:
        """`handler` runs one turn."""
        self._handler = handler
        self._running: set[asyncio.Task[object]] = set()
        # These and those whose end DBOS has still to record.
        self._unrecorded: set[asyncio.Task[object]] = set()
        self._stopping = False
        self._given_up: set[asyncio.Task[object]] = set()

    async def run(self, session_id: SessionId, turn: int) -> None:
        """Run one turn in the present task, which is DBOS's own."""
        task = asyncio.current_task()
        if self._stopping or task is None:
            raise _LeftPending
        self._unrecorded.add(task)
        task.add_done_callback(self._unrecorded.discard)
        self._running.add(task)
        try:
            await self._handler(session_id, turn)
        except asyncio.CancelledError:
            if task not in self._given_up:
                raise
        except Exception as error:  # whatever it is, it is told here: nobody awaits DBOS's task
            if task not in self._given_up:
                _LOG.error("turn failed", session_id=session_id, turn=turn, exc_info=error)
                raise
        finally:
            self._running.discard(task)
        if task in self._given_up:
            raise _LeftPending

    def let_none_begin(self) -> None:
        """From now on a turn that is dispatched is left as it is."""
        self._stopping = True

    async def ended(self, clock: Clock, *, within_s: float) -> None:
        """Wait until every turn has ended and DBOS knows it, or until the time is over."""
        limit = asyncio.ensure_future(clock.sleep(within_s))
        while self._unrecorded and not limit.done():
            await asyncio.wait({*self._unrecorded, limit}, return_when=asyncio.FIRST_COMPLETED)
        limit.cancel()

    def give_up(self) -> None:
        """Cancel the turns that still run, and leave their workflows without an outcome."""
        self._given_up = self._running.copy()
        for task in self._given_up:
            task.cancel()


class _Slot:
    """Who runs turns in this process: DBOS is one per process, and so is this."""

    turns: Turns | None = None


def take_slot(turns: Turns) -> None:
    """Let workflows run by `turns`. Raises `ConfigurationError` when others do already."""
    if _Slot.turns is not None:
        raise ConfigurationError(
            "An engine runs in this process already.",
            cure="Stop it first, or run the other one in a process of its own.",
        )
    _Slot.turns = turns


def leave_slot() -> None:
    """Make room for the next engine of this process."""
    _Slot.turns = None


# Attempts are not limited: the session counts starts without progress, and asks a person.
@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
async def _advance(session_id: str, turn: int) -> None:
    if _Slot.turns is None:
        raise _LeftPending
    await _Slot.turns.run(SessionId(session_id), turn)
