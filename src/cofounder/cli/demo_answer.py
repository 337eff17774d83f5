"""The demo's decisions: offered to whoever watches, answered anyway after a while."""

import asyncio
from contextlib import AbstractContextManager, suppress

from rich.text import Text

from cofounder.api.schemas.escalations import EscalationOut
from cofounder.cli.client import Service, path_of
from cofounder.cli.errors import RefusedError
from cofounder.cli.screens import Moment, Screen
from cofounder.cli.view_state import ViewState
from cofounder.domain.events import Envelope
from cofounder.domain.session import SessionState
from cofounder.ports.clock import Clock

OFFER_S = 12.0
# Without anybody there, the agent gets this long to do what it can without the answer.
UNATTENDED_S = 5.0
_ENTER = frozenset("\r\n")


class Offer:
    """Answers each decision once. `keys` None: nobody is there to press any."""

    def __init__(
        self, service: Service, clock: Clock, keys: asyncio.Queue[str] | None, idle_hint: str
    ) -> None:
        """`idle_hint` is what the last line says while nothing is to be decided."""
        self._service, self._clock, self._keys, self._idle = service, clock, keys, idle_hint
        self._asked: asyncio.Queue[EscalationOut] = asyncio.Queue()
        self._seen: set[str] = set()
        self._open: EscalationOut | None = None
        self._until_s = 0.0
        self._waiting = asyncio.Event()

    def look(self, view: ViewState) -> None:
        """Notice what is open now, and whether the agent has come to a stop."""
        if view.state is SessionState.WAITING_FOR_INPUT:
            self._waiting.set()
        for decision in view.decisions:
            if decision.escalation_id not in self._seen:
                self._seen.add(decision.escalation_id)
                self._asked.put_nowait(decision)
        if self._open is not None and self._open not in view.decisions:
            self._open = None

    def hint(self) -> Text:
        """What the last line of the view says."""
        if self._open is None:
            return Text(self._idle, style="bright_black")
        left_s = max(0, round(self._until_s - self._clock.monotonic_s()))
        keys = "  ".join(f"[{n}] {o.id}" for n, o in enumerate(self._open.options, start=1))
        ending = f"In {left_s} s the demo takes {self._open.recommended}."
        return Text(f"Your choice: {keys}   {ending}", style="bold cyan")

    async def answer_all(self) -> None:
        """Answer decisions until cancelled."""
        while True:
            decision = await self._asked.get()
            body = {"decision": await self._choice(decision), "guidance": None}
            path = path_of("escalations", decision.escalation_id, "resolve")
            # Somebody may have been faster, from another terminal.
            with suppress(RefusedError):
                await self._service.post(path, body)
            self._open = None

    async def _choice(self, decision: EscalationOut) -> str:
        if self._keys is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(UNATTENDED_S):
                    await self._waiting.wait()
            return decision.recommended
        self._open, self._until_s = decision, self._clock.monotonic_s() + OFFER_S
        while not self._keys.empty():
            self._keys.get_nowait()
        with suppress(TimeoutError):
            async with asyncio.timeout(OFFER_S):
                return await self._pressed(self._keys, decision)
        return decision.recommended

    @staticmethod
    async def _pressed(keys: asyncio.Queue[str], decision: EscalationOut) -> str:
        ids = [option.id for option in decision.options]
        while True:
            key = await keys.get()
            if key in _ENTER:
                return decision.recommended
            if key.isdecimal() and 1 <= int(key) <= len(ids):
                return ids[int(key) - 1]


class OfferingScreen:
    """A screen that lets an offer see every view that it shows."""

    def __init__(self, screen: Screen, offer: Offer) -> None:
        self._screen, self._offer = screen, offer

    def opened(self) -> AbstractContextManager[object]:
        """As the screen does."""
        return self._screen.opened()

    def show(self, view: ViewState, moment: Moment) -> None:
        """Look, then show."""
        self._offer.look(view)
        self._screen.show(view, moment)

    def told(self, event: Envelope) -> None:
        """As the screen does."""
        self._screen.told(event)

    def closed(self, view: ViewState, moment: Moment) -> None:
        """As the screen does."""
        self._screen.closed(view, moment)
