"""Waiting awake, or going to sleep, after a failed model call."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cofounder.agent.retry import RetryPolicy, SleepUntil, WaitAwake, after_failure
from cofounder.domain.errors import ModelOverloadedError, ModelRateLimitedError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = RetryPolicy()


def test_waits_grow_and_never_pass_the_longest() -> None:
    error = ModelOverloadedError("overloaded")
    waits = [
        after_failure(RetryPolicy(attempts=20), error, attempt=n, jitter=0.999, now=NOW)
        for n in range(1, 20)
    ]
    seconds = [wait.seconds for wait in waits if isinstance(wait, WaitAwake)]
    assert len(seconds) == 19
    assert seconds == sorted(seconds)
    assert seconds[-1] <= POLICY.longest_wait_s


@given(asked=st.floats(0.001, 60), jitter=st.floats(0, 0.999), attempt=st.integers(1, 4))
def test_never_earlier_than_asked_for(asked: float, jitter: float, attempt: int) -> None:
    error = ModelRateLimitedError("slow down", retry_after_s=asked)
    wait = after_failure(POLICY, error, attempt=attempt, jitter=jitter, now=NOW)
    assert isinstance(wait, WaitAwake)
    assert wait.seconds >= asked


def test_a_long_wait_becomes_a_sleep_until_then() -> None:
    error = ModelRateLimitedError("quota", retry_after_s=7200)
    step = after_failure(POLICY, error, attempt=1, jitter=0, now=NOW)
    assert step == SleepUntil(wake_at=NOW + timedelta(hours=2))


def test_after_the_last_attempt_it_sleeps() -> None:
    error = ModelOverloadedError("overloaded")
    step = after_failure(POLICY, error, attempt=POLICY.attempts, jitter=0, now=NOW)
    assert step == SleepUntil(wake_at=NOW + timedelta(seconds=POLICY.give_up_sleep_s))
