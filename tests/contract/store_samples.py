"""Rows to fill a store with, and a listener."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio.lowlevel

from cofounder.domain.budget import DayBudget
from cofounder.domain.escalation import Attempt, Escalation, Option
from cofounder.domain.events import Event
from cofounder.domain.events.agent import Narrated
from cofounder.domain.ids import EscalationId, JobId, OwnerId, RequestId, SessionId, ToolUseId
from cofounder.domain.jobs import BuildPlan, Job, PlannedPhase, QuestionAndAnswer
from cofounder.domain.money import Usage
from cofounder.domain.schedule import Span
from cofounder.domain.session import Session, SessionState
from cofounder.domain.transcript import Message, Role, TextBlock, ToolUseBlock
from cofounder.ports.store import (
    EntryKind,
    LedgerEntry,
    ModelCallRow,
    Store,
    StoredEvent,
)

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
DAY = Span(start=datetime(2026, 3, 1, tzinfo=UTC), end=datetime(2026, 3, 2, tzinfo=UTC))
OWNER = OwnerId("own_a")
JOB_ID = JobId("job_a")
SESSION_ID = SessionId("ses_a")
# What a program may print and a model may say: NUL, half a surrogate pair, any script.
ODD_TEXT = "a\0b \ud83d c \u2028 Žluťoučký 漢字 😀 \x7f \r\n 'x'; -- :name %s"
ODD_TEXT_AS_KEPT = ODD_TEXT.replace("\0", "\ufffd").replace("\ud83d", "\ufffd")


def a_job(number: int = 0, *, owner_id: OwnerId = OWNER) -> Job:
    suffix = f"_{number}" if number else ""
    return Job(
        job_id=JobId(JOB_ID + suffix),
        session_id=SessionId(SESSION_ID + suffix),
        owner_id=owner_id,
        epoch="epoch" + suffix,
        idea_brief="A shop for second-hand lamps",
        understanding_qna=(QuestionAndAnswer(question="For whom?", answer="For collectors"),),
        build_plan=BuildPlan(
            summary="Small steps", phases=(PlannedPhase(name="Shop", description="The pages"),)
        ),
        model="some-model",
        max_tool_calls=500,
        created_at=NOW + timedelta(minutes=number),
    )


def a_session(number: int = 0, *, owner_id: OwnerId = OWNER) -> Session:
    job = a_job(number, owner_id=owner_id)
    return Session(
        session_id=job.session_id,
        job_id=job.job_id,
        owner_id=owner_id,
        state=SessionState.QUEUED,
        turn=1,
        fence=0,
        iteration=0,
        tool_calls=0,
        message_count=0,
        budget_pct=0,
        wake_at=None,
        sleep_reason=None,
        wind_down_left=None,
        current_phase=None,
        needs_usd_micros=0,
        barren_starts=0,
        problem=None,
    )


def a_day(*, base_usd_micros: int = 1_000_000) -> DayBudget:
    return DayBudget(
        owner_id=OWNER,
        day=DAY,
        base_usd_micros=base_usd_micros,
        top_up_usd_micros=0,
        cycle_left_usd_micros=30_000_000_000,
        spent_usd_micros=0,
        reserved_usd_micros=0,
    )


def a_call(number: int = 0, *, reserved_usd_micros: int = 100_000) -> ModelCallRow:
    return ModelCallRow(
        request_id=RequestId(f"req_{number}"),
        session_id=SESSION_ID,
        owner_id=OWNER,
        day_start=DAY.start,
        model="some-model",
        reserved_usd_micros=reserved_usd_micros,
        worst_usage=Usage(output_tokens=4096, cache_write_tokens=12_000),
        started_at=NOW,
    )


def an_entry(number: int = 0, *, amount_usd_micros: int = 40_000) -> LedgerEntry:
    return LedgerEntry(
        request_id=RequestId(f"req_{number}"),
        owner_id=OWNER,
        session_id=SESSION_ID,
        kind=EntryKind.CALL,
        amount_usd_micros=amount_usd_micros,
        model="some-model",
        provider_request_id="their_id",
        usage=Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=2**40),
        price="input 3, output 15",
        at=NOW + timedelta(seconds=number),
    )


def a_top_up(number: int = 0) -> LedgerEntry:
    return replace(
        an_entry(number),
        session_id=None,
        kind=EntryKind.TOP_UP,
        model=None,
        provider_request_id=None,
        usage=None,
        price=None,
    )


def an_escalation(number: int = 0, *, at: datetime = NOW) -> Escalation:
    return Escalation(
        escalation_id=EscalationId(f"esc_{number}"),
        job_id=JOB_ID,
        session_id=SESSION_ID,
        owner_id=OWNER,
        cause=f"stuck:{number}",
        problem="The payment provider refuses the key.",
        attempts=(
            Attempt(approach="the test key", result=ODD_TEXT, at=NOW),
            Attempt(approach="a new key", result="401", at=NOW + timedelta(microseconds=1)),
        ),
        options=(
            Option(id="key", label="Give a key", description="A new one", reversible=True),
            Option(id="skip", label="Leave it out", description="For now", reversible=False),
        ),
        recommended="key",
        created_at=at,
        answer=None,
    )


def a_message(text: str = "hello", role: Role = Role.USER) -> Message:
    return Message(role=role, blocks=(TextBlock(text=text),))


def a_use(number: int = 0) -> ToolUseBlock:
    return ToolUseBlock(
        id=ToolUseId(f"toolu_{number}"),
        name="bash",
        input={"command": ODD_TEXT, "timeout_s": 1.5, "env": {"A": [1, None, True]}},
    )


def an_event(text: str = "hello", *, job_id: JobId = JOB_ID) -> Narrated:
    return Narrated(at=NOW, job_id=job_id, session_id=SESSION_ID, text=text)


async def add_job(store: Store, number: int = 0, *, owner_id: OwnerId = OWNER) -> None:
    """The job and its session."""
    async with store.writing() as tx:
        job = a_job(number, owner_id=owner_id)
        await tx.jobs.add(job, idempotency_key=None, request_hash="hash")
        await tx.sessions.add(a_session(number, owner_id=owner_id))


async def log_of(store: Store, job_id: JobId = JOB_ID) -> Sequence[StoredEvent]:
    """The job's whole event log."""
    async with store.reading() as tx:
        return await tx.events.after(job_id, 0, limit=10_000)


def texts(events: Sequence[StoredEvent]) -> list[str]:
    """What was narrated."""
    return [_text(stored.event) for stored in events]


def _text(event: Event) -> str:
    assert isinstance(event, Narrated)
    return event.text


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.heard: list[StoredEvent] = []

    def committed(self, events: Sequence[StoredEvent]) -> None:
        self.heard += events


async def turns_of_the_loop(number: int) -> None:
    """Let the others get on."""
    for _ in range(number):
        await anyio.lowlevel.checkpoint()
