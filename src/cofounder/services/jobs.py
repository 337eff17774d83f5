"""Creating jobs, and reading them: one, many, and all that a freshly loaded page needs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from cofounder.agent.prompt import begin_note
from cofounder.domain.budget import DayBudget, Forecast, forecast
from cofounder.domain.errors import ConflictError, InvalidInputError, NotFoundError
from cofounder.domain.escalation import Escalation
from cofounder.domain.ids import JobId, OwnerId, SessionId
from cofounder.domain.jobs import BuildPlan, Job, QuestionAndAnswer
from cofounder.domain.phases import Phase, PhaseStatus, phase_id
from cofounder.domain.session import Session, SessionState
from cofounder.ports.store import (
    DocumentRow,
    InboxItem,
    InboxKind,
    LogHead,
    StoredEvent,
    Transaction,
)
from cofounder.services.context import Context

MAX_IDEA_CHARS = 50_000
MAX_TOOL_CALLS = 100_000
RECENT_EVENTS = 50


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """What a founder asks for. `model` None means the service's default."""

    idea_brief: str
    understanding_qna: tuple[QuestionAndAnswer, ...] = ()
    build_plan: BuildPlan | None = None
    max_tool_calls: int | None = None
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Fields:
    """What a request comes to, once it was checked."""

    owner_id: OwnerId
    model: str
    max_tool_calls: int


@dataclass(frozen=True, kw_only=True)
class JobDefaults:
    """What holds when the request is silent."""

    model: str
    max_tool_calls: int


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job and where it stands."""

    job: Job
    session: Session
    open_escalations: int


@dataclass(frozen=True, kw_only=True)
class Status:
    """The bootstrap: everything that a freshly loaded page needs, read at one instant.

    `spent_usd_micros` is this job's own; `budget` is the owner's day.
    """

    job: Job
    session: Session
    server_time: datetime
    log: LogHead
    phases: Sequence[Phase]
    escalations: Sequence[Escalation]
    budget: DayBudget
    forecast: Forecast
    spent_usd_micros: int
    recent: Sequence[StoredEvent]


class JobService:
    """Jobs of all owners; a job of another owner is `NotFoundError`."""

    def __init__(self, context: Context, defaults: JobDefaults) -> None:
        """`defaults` come from the settings."""
        self._context, self._defaults = context, defaults

    async def create(
        self, owner_id: OwnerId, request: JobRequest, *, idempotency_key: str | None = None
    ) -> JobView:
        """Keep the job and dispatch its first turn in one transaction.

        The same key with the same request returns the job that is there; with another
        request it is a `ConflictError`. Raises `InvalidInputError` and `UnknownModelError`.
        """
        model = request.model or self._defaults.model
        max_tool_calls = _checked(request, self._defaults)
        self._context.prices.check(model)
        fields = _Fields(owner_id=owner_id, model=model, max_tool_calls=max_tool_calls)
        try:
            return await self._create(fields, request, idempotency_key)
        except ConflictError:
            # Two requests with one key at the same instant: the loser finds the winner's job.
            if idempotency_key is None:
                raise
            return await self._create(fields, request, idempotency_key)

    async def _create(
        self, fields: _Fields, request: JobRequest, idempotency_key: str | None
    ) -> JobView:
        context, owner_id, request_hash = self._context, fields.owner_id, _hash(request)
        async with context.store.writing() as tx:
            if idempotency_key is not None:
                known = await tx.jobs.by_idempotency_key(owner_id, idempotency_key)
                if known is not None:
                    return await self._repeated(tx, *known, request_hash)
            job = Job(
                job_id=JobId(job_id := context.ids.new("job")),
                session_id=SessionId(job_id),
                owner_id=owner_id,
                epoch=context.ids.new("log"),
                idea_brief=request.idea_brief.strip(),
                understanding_qna=request.understanding_qna,
                build_plan=request.build_plan,
                model=fields.model,
                max_tool_calls=fields.max_tool_calls,
                created_at=context.clock.now(),
            )
            await tx.jobs.add(job, idempotency_key=idempotency_key, request_hash=request_hash)
            return await self._begin(tx, job)

    async def _begin(self, tx: Transaction, job: Job) -> JobView:
        context = self._context
        budget = await context.budget.peek(tx, job.owner_id)
        session = _new_session(job, budget.budget_pct)
        await tx.sessions.add(session)
        if job.build_plan and job.build_plan.phases:
            names = dict.fromkeys(phase.name for phase in job.build_plan.phases)
            await tx.work.save_phases(job.job_id, [_pending(name) for name in names])
        note = InboxItem(
            source_id="begin", kind=InboxKind.NOTE, text=begin_note(job.max_tool_calls)
        )
        await tx.conversation.put(session.session_id, note, job.created_at)
        await context.engine.enqueue(tx, session.session_id, session.turn)
        return JobView(job=job, session=session, open_escalations=0)

    async def _repeated(
        self, tx: Transaction, job: Job, known_hash: str, request_hash: str
    ) -> JobView:
        if known_hash != request_hash:
            raise ConflictError(
                "This Idempotency-Key was used for another request.",
                cure="Use a new key for a new request.",
            )
        return await self._view(tx, job)

    async def get(self, owner_id: OwnerId, job_id: JobId) -> JobView:
        """One job."""
        async with self._context.store.reading() as tx:
            return await self._view(tx, await self._owned(tx, owner_id, job_id))

    async def page(
        self, owner_id: OwnerId, *, before: JobId | None, limit: int
    ) -> Sequence[JobView]:
        """The owner's jobs, newest first."""
        async with self._context.store.reading() as tx:
            jobs = await tx.jobs.page(owner_id, before=before, limit=limit)
            return [await self._view(tx, job) for job in jobs]

    async def status(self, owner_id: OwnerId, job_id: JobId) -> Status:
        """All that a page shows, from one consistent read: no gap to the event stream."""
        context = self._context
        async with context.store.reading() as tx:
            job = await self._owned(tx, owner_id, job_id)
            session, log = await tx.sessions.get(job.session_id), await tx.events.head(job_id)
            assert session is not None
            assert log is not None
            budget, now = await context.budget.peek(tx, owner_id), context.clock.now()
            return Status(
                job=job,
                session=session,
                server_time=now,
                log=log,
                phases=await tx.work.phases(job_id),
                escalations=await tx.decisions.open_of_session(job.session_id),
                budget=budget,
                forecast=forecast(budget, now),
                spent_usd_micros=await tx.ledger.spent_by_session(job.session_id),
                recent=await tx.events.newest(job_id, limit=RECENT_EVENTS),
            )

    async def events(
        self, owner_id: OwnerId, job_id: JobId, *, after: int, limit: int, types: Sequence[str] = ()
    ) -> Sequence[StoredEvent]:
        """History later than `after`, oldest first."""
        async with self._context.store.reading() as tx:
            await self._owned(tx, owner_id, job_id)
            return await tx.events.after(job_id, after, limit=limit, types=types)

    async def log_head(self, owner_id: OwnerId, job_id: JobId) -> LogHead:
        """Identity and end of the job's event log."""
        async with self._context.store.reading() as tx:
            await self._owned(tx, owner_id, job_id)
            head = await tx.events.head(job_id)
            assert head is not None
            return head

    async def escalations(self, owner_id: OwnerId, job_id: JobId) -> Sequence[Escalation]:
        """Open and past decisions of the job, oldest first."""
        async with self._context.store.reading() as tx:
            await self._owned(tx, owner_id, job_id)
            return await tx.decisions.of_job(job_id)

    async def documents(self, owner_id: OwnerId, job_id: JobId) -> Sequence[DocumentRow]:
        """The newest version of each document."""
        async with self._context.store.reading() as tx:
            await self._owned(tx, owner_id, job_id)
            return await tx.work.documents(job_id)

    async def _view(self, tx: Transaction, job: Job) -> JobView:
        session = await tx.sessions.get(job.session_id)
        assert session is not None
        # The row tells what the last call made of it; a refresh since then is true, too.
        budget = await self._context.budget.peek(tx, job.owner_id)
        session = replace(session, budget_pct=budget.budget_pct)
        open_now = await tx.decisions.open_of_session(job.session_id)
        return JobView(job=job, session=session, open_escalations=len(open_now))

    async def _owned(self, tx: Transaction, owner_id: OwnerId, job_id: JobId) -> Job:
        job = await tx.jobs.get(job_id)
        if job is None or job.owner_id != owner_id:
            raise NotFoundError(f"There is no job {job_id}.", cure="List them: cofounder jobs.")
        return job


def _checked(request: JobRequest, defaults: JobDefaults) -> int:
    idea = request.idea_brief.strip()
    if not idea:
        raise InvalidInputError(
            "The idea is empty.", field="idea_brief", cure="Say in a sentence what to build."
        )
    if len(idea) > MAX_IDEA_CHARS:
        raise InvalidInputError(
            f"The idea is longer than {MAX_IDEA_CHARS} characters.",
            field="idea_brief",
            cure="Shorten it; details can be sent as messages.",
        )
    limit = defaults.max_tool_calls if request.max_tool_calls is None else request.max_tool_calls
    if not 1 <= limit <= MAX_TOOL_CALLS:
        raise InvalidInputError(
            f"max_tool_calls must be from 1 to {MAX_TOOL_CALLS}.",
            field="max_tool_calls",
            cure="Leave it out for the default.",
        )
    return limit


def _hash(request: JobRequest) -> str:
    plan = request.build_plan
    content = [
        request.idea_brief.strip(),
        [[pair.question, pair.answer] for pair in request.understanding_qna],
        plan and [plan.summary, [[p.name, p.description] for p in plan.phases]],
        request.max_tool_calls,
        request.model,
    ]
    return sha256(json.dumps(content).encode()).hexdigest()


def _new_session(job: Job, budget_pct: int) -> Session:
    return Session(
        session_id=job.session_id,
        job_id=job.job_id,
        owner_id=job.owner_id,
        state=SessionState.QUEUED,
        turn=1,
        fence=0,
        iteration=0,
        tool_calls=0,
        message_count=0,
        budget_pct=budget_pct,
        wake_at=None,
        sleep_reason=None,
        wind_down_left=None,
        current_phase=None,
        needs_usd_micros=0,
        barren_starts=0,
        problem=None,
    )


def _pending(name: str) -> Phase:
    return Phase(
        phase_id=phase_id(name),
        phase_name=name,
        status=PhaseStatus.PENDING,
        started_at=None,
        completed_at=None,
    )
