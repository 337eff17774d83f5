"""This machine's clock and randomness, as the ports name them."""

from dataclasses import dataclass

from cofounder.ports.clock import Clock, Ids


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Handed to whatever has to tell the time, to wait, or to spread its waits."""

    clock: Clock
    ids: Ids


def this_machine() -> Machine:
    """The real ones."""
    # Imported here to keep other commands fast: the bootstrap knows the whole service.
    from cofounder.bootstrap.clocks import RandomIds, SystemClock

    return Machine(clock=SystemClock(), ids=RandomIds())
