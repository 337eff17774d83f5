"""A job as the service would show it at 12:00 UTC, and its events, to start tests from."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console, RenderableType

from cofounder.api.schemas.budget import DayOut
from cofounder.api.schemas.escalations import AttemptOut, EscalationOut, OptionOut
from cofounder.api.schemas.jobs import PhaseOut, StatusOut
from cofounder.cli.view_state import ViewState, opened
from cofounder.domain.budget import Pace
from cofounder.domain.events import Event, Origin
from cofounder.domain.events.agent import Narrated, Sleeping, ToolCalled
from cofounder.domain.events.work import PhaseStarted
from cofounder.domain.ids import JobId, SessionId
from cofounder.domain.phases import PhaseStatus
from cofounder.domain.session import SessionState

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
JOB = JobId("job_0d9c6f4b2a8e4f1c9b7d5e3a1f2c4b6d")
EPOCH = "log_7f3c2a91d0b84e6f"
ESCALATION = "esc_5b1e7c3a9d2f4086b4c8e0a6d2f81357"


def origin(minutes: float = 0) -> Origin:
    """Envelope fields of an event that happened so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    return Origin(at=at, job_id=JOB, session_id=SessionId(JOB))


def logged(events: Sequence[Event], *, first: int = 1) -> list[Event]:
    """The events with their places in the job's log."""
    return [
        event.model_copy(update={"seq": seq, "epoch": EPOCH})
        for seq, event in enumerate(events, start=first)
    ]


def activity() -> list[Event]:
    """What happened before noon."""
    return logged(
        [
            PhaseStarted(
                **origin(-42),
                phase_id="arithmetic",
                phase_name="Arithmetic",
                status=PhaseStatus.IN_PROGRESS,
                started_at=NOON - timedelta(minutes=42),
            ),
            Narrated(
                **origin(-41),
                text="I begin with the arithmetic, because the shares have to add up to the "
                "cent; then the page, which asks for bill, tip and friends, and shows who pays "
                "what. I say when there is something to look at.",
            ),
            tool_call(-40, label="Write fair_share.py", summary="48 lines", duration=0.02),
            tool_call(
                -38,
                label="$ python3 -m unittest",
                summary="exit 1: FAILED (failures=2)",
                duration=1.4,
                is_error=True,
            ),
            tool_call(-36, label="Edit fair_share.py", summary="-2 +3 lines", duration=0.01),
            tool_call(-35, label="$ python3 -m unittest", summary="OK", duration=1.3),
        ]
    )


def tool_call(
    minutes: float, *, label: str, summary: str, duration: float = 0.1, is_error: bool = False
) -> ToolCalled:
    """A tool that has run."""
    return ToolCalled(
        **origin(minutes),
        tool_name="bash",
        tool_label=label,
        tool_summary=summary,
        duration=duration,
        is_error=is_error,
    )


def day(*, spent: int = 3_100_000, limit: int = 6_000_000) -> DayOut:
    """The owner's day at noon; amounts are micro-dollars."""
    return DayOut(
        started_at=MIDNIGHT - timedelta(days=1),
        refresh_at=MIDNIGHT,
        limit_usd_micros=limit,
        top_up_usd_micros=0,
        ceiling_usd_micros=limit * 110 // 100,
        spent_usd_micros=spent,
        reserved_usd_micros=0,
        budget_pct=min(100, 100 * spent // max(1, limit)),
        pace_pct=50,
        pace=Pace.ON,
        runs_out_at=None,
    )


def phases() -> list[PhaseOut]:
    """One done, one under way, two to come."""
    done, doing, to_come = PhaseStatus.COMPLETED, PhaseStatus.IN_PROGRESS, PhaseStatus.PENDING
    begun = NOON - timedelta(minutes=55)
    turned = NOON - timedelta(minutes=42)
    rows = (
        ("Plan", done, begun, turned),
        ("Arithmetic", doing, turned, None),
        ("Page", to_come, None, None),
        ("Check", to_come, None, None),
    )
    return [
        PhaseOut(
            phase_id=name.lower(),
            phase_name=name,
            status=status,
            started_at=started,
            completed_at=completed,
        )
        for name, status, started, completed in rows
    ]


def decision() -> EscalationOut:
    """An open decision with two attempts and two options."""
    return EscalationOut(
        escalation_id=ESCALATION,
        job_id=JOB,
        session_id=JOB,
        problem="100.00 € among three leaves one cent over. Who pays the odd cents?",
        attempts=[
            AttemptOut(
                approach="Rounding each share down",
                result="The restaurant gets 99.99 €; the tests fail.",
                at=NOON,
            ),
            AttemptOut(
                approach="Giving the odd cents to the first ones",
                result="It adds up, but the same people always pay more.",
                at=NOON,
            ),
        ],
        options=[
            OptionOut(
                id="first",
                label="The first ones",
                description="Simple, nothing to fill in; always the same people.",
                reversible=True,
            ),
            OptionOut(
                id="payer",
                label="Whoever paid the bill",
                description="Feels fair; one more thing to choose.",
                reversible=False,
            ),
        ],
        recommended="payer",
        created_at=NOON,
        answer=None,
    )


def status(
    state: SessionState = SessionState.WORKING,
    *,
    wake_at: datetime | None = None,
    decisions: Sequence[EscalationOut] = (),
    recent: Sequence[Event] | None = None,
) -> StatusOut:
    """What `GET …/status` would answer at noon."""
    events = list(activity() if recent is None else recent)
    return StatusOut(
        job_id=JOB,
        session_id=JOB,
        state=state,
        budget_pct=51,
        wake_at=wake_at,
        sleep_reason="budget" if wake_at else None,
        server_time=NOON,
        epoch=EPOCH,
        last_seq=events[-1].seq if events else 0,
        iteration=12,
        tool_calls=34,
        max_tool_calls=1000,
        current_phase="arithmetic",
        phases=phases(),
        pending_escalations=list(decisions),
        budget=day(),
        spent_usd_micros=1_200_000,
        idea_brief="A tiny web page that splits a restaurant bill among friends, tip included",
        model="claude-sonnet-5-5",
        problem=None,
        recent=events,
    )


def view(
    state: SessionState = SessionState.WORKING,
    *,
    wake_at: datetime | None = None,
    decisions: Sequence[EscalationOut] = (),
    recent: Sequence[Event] | None = None,
) -> ViewState:
    """The view state that such an answer opens, on a clock without skew."""
    return opened(status(state, wake_at=wake_at, decisions=decisions, recent=recent), NOON)


def asleep() -> ViewState:
    """Sleeping until midnight."""
    message = "$5.42 of today's $6.00 is used."
    event = Sleeping(**origin(), message=message, budget_pct=90, wake_at=MIDNIGHT, reason="budget")
    recent = [*activity(), *logged([event], first=7)]
    return view(SessionState.SLEEPING, wake_at=MIDNIGHT, recent=recent)


def plain(renderable: RenderableType, width: int) -> str:
    """What a terminal of that width would show, without styles."""
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(renderable)
    return console.export_text()
