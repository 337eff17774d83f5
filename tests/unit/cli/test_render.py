from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len
from rich.text import Text

from cofounder.cli.render import Frame, render, report
from cofounder.cli.view_state import ViewState
from cofounder.domain.events.agent import Completed, Narrated
from cofounder.domain.session import SessionState
from tests.unit.cli import samples
from tests.unit.cli.samples import BERLIN, ESCALATION, MIDNIGHT, NOON, origin

SIZES = [(60, 24), (60, 40), (80, 24), (120, 30), (200, 60), (40, 12), (24, 5)]
ANSWER = f"cofounder resolve {ESCALATION} payer"


def shown(view: ViewState, width: int = 120, height: int = 36, *, offline_s: float = 0.0) -> str:
    what = Frame(now=NOON, width=width, height=height, zone=BERLIN, offline_s=offline_s)
    return samples.plain(render(view, what), width)


def waiting() -> ViewState:
    return samples.view(SessionState.WAITING_FOR_INPUT, decisions=[samples.decision()])


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_frame_never_outgrows_the_terminal(state: SessionState, width: int, height: int) -> None:
    wake_at = MIDNIGHT if state is SessionState.SLEEPING else None
    decisions = [samples.decision()] if state is SessionState.WAITING_FOR_INPUT else []
    frame = shown(samples.view(state, wake_at=wake_at, decisions=decisions), width, height)
    lines = frame.splitlines()
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


def test_a_working_job_shows_state_progress_money_phases_and_activity() -> None:
    frame = shown(samples.view())
    for words in (
        "● Working  A tiny web page that splits a restaurant bill",
        "iteration 12 · 34 of 1000 tool calls · $1.20 spent · claude-sonnet-5-5",
        "In the phase Arithmetic.",
        "$3.10 of $6.00 · on pace",
        "✓ Plan",
        "● Arithmetic",
        "○ Page",
        "» I begin with the arithmetic",
        "✗ $ python3 -m unittest  exit 1: FAILED (failures=2)",
        "1.4 s",
        "Ctrl+C leaves, the job goes on",
    ):
        assert words in frame


def test_a_narrow_terminal_shows_phases_in_one_line_and_cuts_no_sentence_short() -> None:
    frame = shown(samples.view(), 60)
    assert "Phases 1/4  ✓ Plan ● Arithmetic ○ Page ○ Check" in frame
    assert "$3.10 of $6.00 · on pace · runs out" in frame


def test_a_sleeping_job_says_why_until_when_and_what_to_do() -> None:
    words = " ".join(shown(samples.asleep(), 60).split())
    assert "☾ Sleeping" in words
    assert "$5.42 of today's $6.00 is used. Wakes in 12 h 0 min" in words
    assert "at Wed 00:00 UTC (Wed 01:00 here)" in words
    assert "cofounder top-up 5" in words


def test_the_countdown_is_reckoned_with_the_servers_clock() -> None:
    ahead = replace(samples.asleep(), skew=timedelta(hours=1))
    assert "Wakes in 11 h 0 min" in shown(ahead)
    later = Frame(now=NOON + timedelta(hours=11), width=120, height=36, zone=BERLIN)
    assert "Wakes in 1 h 0 min" in samples.plain(render(samples.asleep(), later), 120)


def test_a_decision_is_pinned_with_all_that_is_needed_to_decide() -> None:
    frame = shown(waiting())
    for words in (
        "◆ Needs you",
        "◆ Your decision is needed",
        "Who pays the odd cents?",
        "Rounding each share down → The restaurant gets 99.99 €; the tests fail.",
        "first  The first ones",
        "payer  Whoever paid the bill  recommended  cannot be undone",
        "Feels fair; one more thing to choose.",
        ANSWER,
    ):
        assert words in frame


@pytest.mark.parametrize(("width", "height"), [(60, 24), (80, 20), (120, 18)])
def test_the_command_to_answer_is_there_however_little_room(width: int, height: int) -> None:
    long = samples.decision().model_copy(update={"problem": "It is complicated. " * 60})
    view = samples.view(SessionState.WAITING_FOR_INPUT, decisions=[long])
    words = " ".join(shown(view, width, height).replace("┃", " ").split())
    assert ANSWER in words
    assert "the rest of it: cofounder escalations" in words


def test_other_open_decisions_are_counted() -> None:
    both = [samples.decision(), samples.decision()]
    view = samples.view(SessionState.WORKING, decisions=both)
    assert "Your decision is needed (and 1 other)" in shown(view)
    assert "It goes on with what does not depend on your answer." in shown(view)


def test_a_completed_job_says_what_came_of_it_and_offers_nothing_more() -> None:
    done = Completed(**origin(), message="The page splits bills to the cent.")
    recent = [*samples.activity(), *samples.logged([done], first=7)]
    frame = shown(samples.view(SessionState.COMPLETED, recent=recent))
    assert "✓ Completed" in frame
    assert "The page splits bills to the cent." in frame
    assert "Ctrl+C" not in frame


def test_a_paused_and_a_failed_job_name_the_way_on() -> None:
    command = f"cofounder resume {samples.JOB}"
    for state in (SessionState.PAUSED, SessionState.ERROR):
        assert command in shown(samples.view(state))


def test_a_lost_connection_is_told_after_two_seconds() -> None:
    assert "Connection lost" not in shown(samples.view(), offline_s=1.5)
    assert "Connection lost; shown as of 12 s ago" in shown(samples.view(), offline_s=12)


def test_the_newest_activity_is_what_stays_when_room_is_short() -> None:
    many = [Narrated(**origin(), text=f"step {n}") for n in range(40)]
    view = samples.view(recent=samples.logged(many))
    frame = shown(view, 80, 24)
    assert "step 39" in frame
    assert "step 1 " not in frame


def test_what_the_agent_writes_cannot_steer_the_terminal() -> None:
    evil = "\x1b[2J\x1b]0;gone\x07[bold]not markup[/bold]\x9b31m"
    said = Narrated(**origin(), text=evil)
    view = replace(samples.view(recent=samples.logged([said])), idea=evil, note=evil)
    frame = shown(view)
    assert "\x1b" not in frame
    assert "\x9b" not in frame
    assert "[bold]not markup[/bold]" in frame


def test_a_hint_takes_the_last_line() -> None:
    what = Frame(now=NOON, width=80, height=24, hint=Text("Your choice: [1] first"))
    last = samples.plain(render(waiting(), what), 80).splitlines()[-1]
    assert last.strip() == "Your choice: [1] first"


def test_a_report_shows_every_decision_whole() -> None:
    long = samples.decision().model_copy(update={"problem": "word " * 200 + "end."})
    view = samples.view(SessionState.WAITING_FOR_INPUT, decisions=[long, samples.decision()])
    text = samples.plain(report(view, Frame(now=NOON, width=80, height=10, zone=BERLIN)), 80)
    assert text.count("Your decision is needed") == 2
    assert "end." in text
    assert "$ python3 -m unittest  OK" in text
