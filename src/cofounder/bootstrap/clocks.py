"""Time and randomness for commands that watch a service and start none."""

from cofounder.adapters.clock import RandomIds, SystemClock

__all__ = ["RandomIds", "SystemClock"]
