"""When a failed model call is made again, and when it is better to sleep."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cofounder.domain.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Exponential waits with jitter; a wait that the provider names is honoured.

    `longest_wait_s` is how long a worker waits awake; anything longer becomes a sleep, of
    `longest_sleep_s` at most before the provider is asked again.
    """

    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    give_up_sleep_s: float = 300.0
    longest_sleep_s: float = 7 * 86_400.0


@dataclass(frozen=True, kw_only=True)
class WaitAwake:
    """Wait that long, then call again."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class SleepUntil:
    """Sleep durably until then."""

    wake_at: datetime


def after_failure(
    policy: RetryPolicy, error: ModelError, *, attempt: int, jitter: float, now: datetime
) -> WaitAwake | SleepUntil:
    """What to do after the failed `attempt` (from 1). `jitter` is in [0, 1)."""
    asked_s = error.retry_after_s
    if asked_s is not None and asked_s > policy.longest_wait_s:
        return SleepUntil(wake_at=now + timedelta(seconds=min(asked_s, policy.longest_sleep_s)))
    if attempt >= policy.attempts:
        return SleepUntil(wake_at=now + timedelta(seconds=policy.give_up_sleep_s))
    backoff_s = min(policy.longest_wait_s, policy.first_wait_s * 2.0 ** (attempt - 1))
    # Never earlier than asked for; jitter only ever adds, so that a crowd spreads out.
    return WaitAwake(seconds=(asked_s or backoff_s / 2) + jitter * backoff_s / 2)
