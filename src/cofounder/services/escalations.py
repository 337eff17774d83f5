"""Asking a person, and getting the answer to the agent exactly once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cofounder.domain.errors import Answer, InvalidInputError, NotFoundError
from cofounder.domain.escalation import (
    STOP_JOB,
    Attempt,
    Escalation,
    Option,
    answer_text,
)
from cofounder.domain.events.agent import EscalationResolved, WaitingForInput
from cofounder.domain.ids import EscalationId, OwnerId, SessionId
from cofounder.domain.session import ENDED, Session, SessionState
from cofounder.ports.clock import Clock
from cofounder.ports.store import InboxItem, InboxKind, Store, Transaction
from cofounder.services.transitions import Transitions

MAX_GUIDANCE_CHARS = 20_000

# How a question is closed whose job was cancelled before anybody answered.
JOB_ENDED = "job_ended"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question that is about to be put; `recommended` is the id of one of `options`."""

    escalation_id: EscalationId
    cause: str
    problem: str
    attempts: tuple[Attempt, ...]
    options: tuple[Option, ...]
    recommended: str


class EscalationService:
    """Escalations of all owners."""

    def __init__(self, *, store: Store, clock: Clock, transitions: Transitions) -> None:
        """Moves go through `transitions`, so that the session follows the decision."""
        self._store, self._clock, self._transitions = store, clock, transitions
        self._stopped: Callable[[SessionId], None] | None = None

    def when_stopped(self, interrupt: Callable[[SessionId], None]) -> None:
        """Call `interrupt` with a session that an answer has ended: it may still be running."""
        self._stopped = interrupt

    async def ask(self, tx: Transaction, session: Session, asked: Asked) -> Escalation:
        """Keep the question, unless the same cause is open already: then that one is returned."""
        for known in await tx.decisions.open_of_session(session.session_id):
            if known.cause == asked.cause:
                return known
        escalation = Escalation(
            escalation_id=asked.escalation_id,
            job_id=session.job_id,
            session_id=session.session_id,
            owner_id=session.owner_id,
            cause=asked.cause,
            problem=asked.problem,
            attempts=asked.attempts,
            options=asked.options,
            recommended=asked.recommended,
            created_at=self._clock.now(),
            answer=None,
        )
        await tx.decisions.add(escalation)
        tx.emit(
            WaitingForInput(
                **self._transitions.origin(session), escalation_id=escalation.escalation_id
            )
        )
        return escalation

    async def get(self, owner_id: OwnerId, escalation_id: EscalationId) -> Escalation:
        """One escalation of this owner, or `NotFoundError`."""
        async with self._store.reading() as tx:
            return await self._owned(tx, owner_id, escalation_id)

    async def of_owner(self, owner_id: OwnerId, *, only_open: bool) -> Sequence[Escalation]:
        """The owner's escalations, oldest first."""
        async with self._store.reading() as tx:
            return await tx.decisions.of_owner(owner_id, only_open=only_open)

    async def resolve(
        self,
        owner_id: OwnerId,
        escalation_id: EscalationId,
        *,
        decision: str,
        guidance: str | None,
    ) -> Escalation:
        """Answer it. The event, the agent's copy and the dispatch are in the same transaction.

        Raises `NotFoundError`, `InvalidInputError` (never offered), `AlreadyResolvedError`.
        """
        if guidance is not None and len(guidance) > MAX_GUIDANCE_CHARS:
            raise InvalidInputError(
                f"The guidance is longer than {MAX_GUIDANCE_CHARS} characters.",
                field="guidance",
                cure="Shorten it, or put the details into a file of the workspace.",
            )
        async with self._store.writing() as tx:
            session_id = (await self._owned(tx, owner_id, escalation_id)).session_id
            session = await tx.sessions.lock(session_id)
            assert session is not None
            # Read again under the session's lock: somebody may have answered meanwhile.
            escalation = await self._owned(tx, owner_id, escalation_id)
            escalation.check_answer(decision)
            now = self._clock.now()
            answer = Answer(
                decision=decision, guidance=guidance, resolved_by=owner_id, resolved_at=now
            )
            await tx.decisions.resolve(escalation_id, answer)
            await self._deliver(tx, session, escalation, answer)
            resolved = await self._owned(tx, owner_id, escalation_id)
        if decision == STOP_JOB and self._stopped is not None:
            self._stopped(session_id)
        return resolved

    async def withdraw(self, tx: Transaction, session: Session) -> None:
        """The job has ended: its open questions are answered by that, and by nobody else."""
        for escalation in await tx.decisions.open_of_session(session.session_id):
            now = self._clock.now()
            answer = Answer(
                decision=JOB_ENDED, guidance=None, resolved_by=session.owner_id, resolved_at=now
            )
            await tx.decisions.resolve(escalation.escalation_id, answer)
            self._tell(tx, session, escalation, answer)

    def _tell(
        self, tx: Transaction, session: Session, escalation: Escalation, answer: Answer
    ) -> None:
        tx.emit(
            EscalationResolved(
                **self._transitions.origin(session),
                escalation_id=escalation.escalation_id,
                resolution=answer.decision,
                resolved_at=answer.resolved_at,
            )
        )

    async def _deliver(
        self, tx: Transaction, session: Session, escalation: Escalation, answer: Answer
    ) -> None:
        text = answer_text(escalation, answer)
        item = InboxItem(source_id=escalation.escalation_id, kind=InboxKind.ANSWER, text=text)
        await tx.conversation.put(session.session_id, item, answer.resolved_at)
        await tx.conversation.forget_failures(session.session_id, None)
        self._tell(tx, session, escalation, answer)
        if answer.decision == STOP_JOB and session.state not in ENDED:
            await self.withdraw(tx, session)
            await self._transitions.move(
                tx, session, SessionState.CANCELLED, "the founder chose to stop"
            )
        elif session.state is SessionState.WAITING_FOR_INPUT:
            await self._transitions.queue(tx, session, "the founder answered")

    async def _owned(
        self, tx: Transaction, owner_id: OwnerId, escalation_id: EscalationId
    ) -> Escalation:
        escalation = await tx.decisions.get(escalation_id)
        if escalation is None or escalation.owner_id != owner_id:
            raise NotFoundError(
                f"There is no escalation {escalation_id}.",
                cure="List the open ones: cofounder escalations.",
            )
        return escalation
