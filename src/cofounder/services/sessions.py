"""The founder's controls of a session."""

from dataclasses import replace

from cofounder.domain.budget import can_work
from cofounder.domain.errors import (
    BudgetExceededError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from cofounder.domain.ids import JobId, OwnerId
from cofounder.domain.session import ASLEEP, ENDED, Session, SessionState
from cofounder.ports.store import InboxItem, InboxKind, Transaction
from cofounder.services.context import Context
from cofounder.services.turns import TurnService

MAX_MESSAGE_CHARS = 20_000


class SessionService:
    """The founder's controls. Each raises `NotFoundError` for a job of another owner."""

    def __init__(self, context: Context, turns: TurnService) -> None:
        """`turns` is told when something that runs has to end at once."""
        self._context, self._turns = context, turns

    async def pause(self, owner_id: OwnerId, job_id: JobId) -> Session:
        """Stop after the running step; only a person lifts it. Pausing twice is harmless."""
        async with self._context.store.writing() as tx:
            session = await self._owned(tx, owner_id, job_id)
            if session.state is SessionState.PAUSED:
                return session
            # The next turn number makes every dispatch that is on its way a no-op.
            held = replace(session, turn=session.turn + 1)
            return await self._context.transitions.move(
                tx, held, SessionState.PAUSED, "paused by the founder"
            )

    async def resume(self, owner_id: OwnerId, job_id: JobId) -> Session:
        """Go on after a pause, or retry after an error."""
        async with self._context.store.writing() as tx:
            session = await self._owned(tx, owner_id, job_id)
            if session.state not in {SessionState.PAUSED, SessionState.ERROR}:
                raise ConflictError(
                    f"The session is {session.state.value}; only paused or error can be resumed.",
                    cure="A sleeping session is woken with wake.",
                )
            return await self._context.transitions.queue(tx, session, "resumed by the founder")

    async def wake(self, owner_id: OwnerId, job_id: JobId) -> Session:
        """End a sleep early. Refused without money, with the reason and the cure."""
        context = self._context
        async with context.store.writing() as tx:
            session = await self._owned(tx, owner_id, job_id)
            if session.state not in ASLEEP:
                raise ConflictError(
                    f"The session is {session.state.value}, it does not sleep.",
                    cure="Look at its state first.",
                )
            budget = await context.budget.today(tx, owner_id)
            if not can_work(budget, session.needs_usd_micros):
                raise BudgetExceededError(
                    f"{budget.budget_pct} % of today's budget is used; what is left does not "
                    "suffice for a step of work.",
                    cure="Top up first: cofounder top-up AMOUNT. It wakes by itself then.",
                )
            return await context.transitions.queue(tx, session, "woken by the founder")

    async def cancel(self, owner_id: OwnerId, job_id: JobId) -> Session:
        """End the job for good; what runs in the sandbox is killed. Twice is harmless."""
        async with self._context.store.writing() as tx:
            session = await self._owned(tx, owner_id, job_id)
            if session.state is not SessionState.CANCELLED:
                held = replace(session, turn=session.turn + 1)
                await self._context.escalations.withdraw(tx, held)
                session = await self._context.transitions.move(
                    tx, held, SessionState.CANCELLED, "cancelled by the founder"
                )
        self._turns.interrupt(session.session_id)
        return session

    async def message(self, owner_id: OwnerId, job_id: JobId, text: str) -> Session:
        """Tell the agent something; it reads it at the next iteration's boundary."""
        _check_message(text)
        context = self._context
        async with context.store.writing() as tx:
            session = await self._owned(tx, owner_id, job_id)
            if session.state in ENDED:
                raise ConflictError(
                    f"The job is {session.state.value}; nobody reads a message any more.",
                    cure="Create a new job.",
                )
            item = InboxItem(
                source_id=context.ids.new("msg"), kind=InboxKind.MESSAGE, text=text.strip()
            )
            await tx.conversation.put(session.session_id, item, context.clock.now())
            if session.state is SessionState.WAITING_FOR_INPUT:
                session = await context.transitions.queue(tx, session, "the founder wrote")
            return session

    async def _owned(self, tx: Transaction, owner_id: OwnerId, job_id: JobId) -> Session:
        job = await tx.jobs.get(job_id)
        if job is None or job.owner_id != owner_id:
            raise NotFoundError(f"There is no job {job_id}.", cure="List them: cofounder jobs.")
        session = await tx.sessions.lock(job.session_id)
        assert session is not None
        return session


def _check_message(text: str) -> None:
    if not text.strip():
        raise InvalidInputError("The message is empty.", field="text", cure="Write something.")
    if len(text) > MAX_MESSAGE_CHARS:
        raise InvalidInputError(
            f"The message is longer than {MAX_MESSAGE_CHARS} characters.",
            field="text",
            cure="Shorten it.",
        )
