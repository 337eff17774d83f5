from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofounder.cli.feed import Kind
from cofounder.cli.view_state import FEED_LINES, ViewState, applied, opened
from cofounder.domain.events import Event
from cofounder.domain.events.agent import (
    BudgetExceeded,
    BudgetUpdated,
    Completed,
    EscalationResolved,
    Failed,
    Narrated,
    Sleeping,
    StateChanged,
    Thinking,
    WaitingForInput,
    Waking,
)
from cofounder.domain.events.work import PhaseCompleted, PhaseStarted
from cofounder.domain.ids import EscalationId
from cofounder.domain.phases import PhaseStatus
from cofounder.domain.session import SessionState
from tests.unit.cli import samples
from tests.unit.cli.samples import ESCALATION, MIDNIGHT, NOON, origin


def after(*events: Event, view: ViewState | None = None) -> ViewState:
    """A view after these events, which come next in the log."""
    view = view or samples.view()
    for event in samples.logged(events, first=view.last_seq + 1):
        view = applied(view, event)
    return view


def moved(to: SessionState, *, was: SessionState = SessionState.WORKING) -> StateChanged:
    return StateChanged(**origin(), from_state=was, to_state=to, reason="because")


def said(text: str) -> Narrated:
    return Narrated(**origin(), text=text)


def test_a_status_opens_a_view_with_its_recent_events_as_feed() -> None:
    view = samples.view()
    assert view.last_seq == 6
    assert [line.seq for line in view.feed] == [1, 2, 3, 4, 5, 6]
    assert view.feed[3].kind is Kind.TOOL_ERROR
    assert not view.stale


def test_the_next_event_is_applied_and_a_lower_one_dropped() -> None:
    view = after(said("one"), said("two"))
    assert [line.head for line in view.feed[-2:]] == ["one", "two"]
    again = applied(view, samples.logged([said("late")], first=7)[0])
    assert again is view


def test_a_gap_and_another_log_ask_for_a_fresh_status_and_change_nothing_else() -> None:
    view = samples.view()
    ahead = samples.logged([said("eight")], first=view.last_seq + 2)[0]
    elsewhere = samples.logged([said("x")], first=view.last_seq + 1)[0]
    elsewhere = elsewhere.model_copy(update={"epoch": "log_other"})
    for event in (ahead, elsewhere):
        assert applied(view, event) == replace(view, stale=True)


def test_a_fresh_status_keeps_the_feed_that_it_does_not_repeat() -> None:
    view = after(said("seven"), said("eight"))
    status = samples.status(recent=samples.logged([said("eight"), said("nine")], first=8))
    fresh = opened(status, NOON, view)
    assert [line.seq for line in fresh.feed] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert fresh.last_seq == 9
    assert not fresh.stale


def test_the_feed_of_another_log_is_not_kept() -> None:
    status = samples.status().model_copy(update={"epoch": "log_other", "recent": []})
    assert opened(status, NOON, samples.view()).feed == ()


def test_the_feed_stays_bounded() -> None:
    view = after(*(said(str(n)) for n in range(FEED_LINES + 10)))
    assert len(view.feed) == FEED_LINES
    assert view.feed[-1].head == str(FEED_LINES + 9)


@given(st.lists(st.integers(min_value=1, max_value=12)))
def test_events_that_come_twice_or_late_change_nothing(seqs: list[int]) -> None:
    events = samples.logged([said(f"event {n}") for n in range(1, 13)], first=7)
    in_order = view = samples.view()
    for event in events:
        in_order = applied(in_order, event)
        view = applied(view, event)
        for seq in seqs:
            if seq + 6 <= event.seq:
                view = applied(view, events[seq - 1])
    assert view == in_order


def test_the_skew_is_the_servers_clock_minus_ours() -> None:
    view = opened(samples.status(), NOON - timedelta(seconds=90))
    assert view.skew == timedelta(seconds=90)


def test_a_sleep_says_until_when_and_a_move_ends_it() -> None:
    sleep = Sleeping(**origin(), message="Used.", budget_pct=90, wake_at=MIDNIGHT, reason="budget")
    asleep = after(moved(SessionState.SLEEPING), sleep)
    assert (asleep.state, asleep.wake_at, asleep.note) == (
        SessionState.SLEEPING,
        MIDNIGHT,
        "Used.",
    )
    waking = Waking(**origin(), message="Awake.", reason="refresh")
    back = moved(SessionState.QUEUED, was=SessionState.SLEEPING)
    awake = after(back, waking, view=asleep)
    assert (awake.state, awake.wake_at) == (SessionState.QUEUED, None)


def test_the_breaker_is_a_sleep_with_another_name() -> None:
    exceeded = BudgetExceeded(**origin(), message="Too much.", wake_at=MIDNIGHT)
    view = after(moved(SessionState.BUDGET_EXCEEDED), exceeded)
    assert (view.state, view.wake_at) == (SessionState.BUDGET_EXCEEDED, MIDNIGHT)


def test_money_follows_the_events() -> None:
    view = after(BudgetUpdated(**origin(), budget_pct=40, spent=4_000_000, limit=10_000_000))
    assert view.day.spent_usd_micros == 4_000_000
    assert view.day.allowance_usd_micros == 10_000_000


def test_counters_follow_the_events() -> None:
    view = after(
        Thinking(**origin(), iteration=13), samples.tool_call(0, label="$ ls", summary="3 files")
    )
    assert (view.iteration, view.tool_calls) == (13, 35)


def test_a_new_decision_has_to_be_read_and_an_answered_one_goes() -> None:
    asked = after(WaitingForInput(**origin(), escalation_id=EscalationId(ESCALATION)))
    assert asked.stale
    waiting = samples.view(SessionState.WAITING_FOR_INPUT, decisions=[samples.decision()])
    answer = EscalationResolved(
        **origin(), escalation_id=EscalationId(ESCALATION), resolution="payer", resolved_at=NOON
    )
    assert after(answer, view=waiting).decisions == ()


def test_phases_are_replaced_by_id_and_new_ones_added() -> None:
    doing, done = PhaseStatus.IN_PROGRESS, PhaseStatus.COMPLETED
    view = after(
        PhaseCompleted(
            **origin(),
            phase_id="arithmetic",
            phase_name="Arithmetic",
            status=done,
            started_at=NOON - timedelta(minutes=42),
            completed_at=NOON,
        ),
        PhaseStarted(
            **origin(), phase_id="extra", phase_name="Extra", status=doing, started_at=NOON
        ),
    )
    assert [(p.phase_id, p.status) for p in view.phases] == [
        ("plan", done),
        ("arithmetic", done),
        ("page", PhaseStatus.PENDING),
        ("check", PhaseStatus.PENDING),
        ("extra", doing),
    ]


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (Completed(**origin(), message="All is built."), "All is built."),
        (Failed(**origin(), problem="The key is refused."), "The key is refused."),
        (moved(SessionState.PAUSED), "because"),
    ],
)
def test_the_note_is_what_was_said_last_about_the_state(event: Event, note: str) -> None:
    assert after(event).note == note
    recent = [*samples.activity(), *samples.logged([event, said("and then")], first=7)]
    assert samples.view(recent=recent).note == note
