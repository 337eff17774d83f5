"""The durable steps of an iteration: `agent.journal` over the store.

Every method locks the session first and checks its fence, so that a worker that lost its
claim writes nothing; the running turn's own copy is changed only after the commit.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cofounder.agent.journal import CallTicket, RetryNotice, Stuck, Turn
from cofounder.agent.tools.base import ToolOutcome
from cofounder.domain.errors import ModelError
from cofounder.domain.events.agent import Retrying, Thinking, ToolCalled
from cofounder.domain.ids import RequestId
from cofounder.domain.session import ENDED, Session, SessionState
from cofounder.domain.transcript import Message, Role, ToolResultBlock, ToolUseBlock
from cofounder.ports.model import ModelReply
from cofounder.ports.store import (
    InboxItem,
    InboxKind,
    LedgerEntry,
    ModelCallRow,
    ToolCallRow,
    Transaction,
)
from cofounder.services.accounting import (
    Bookkeeper,
    affordable_tokens,
    closing_usd_micros,
    worst_usage,
)
from cofounder.services.context import Context
from cofounder.services.effects import action_fingerprint, apply_effect, count_attempt
from cofounder.services.observation import Observation
from cofounder.services.transitions import PROVIDER_REASON


class StoreJournal:
    """Implements `agent.journal.Journal`."""

    def __init__(self, context: Context) -> None:
        """One journal serves all sessions of a process; it holds no state of its own."""
        self._context = context
        self._books = Bookkeeper(clock=context.clock, prices=context.prices)
        self._observation = Observation(context)

    async def begin_call(
        self, turn: Turn, *, prompt_tokens: int, max_tokens: int
    ) -> CallTicket | None:
        """Reserve the worst case; without money for it the session sleeps."""
        context, model = self._context, turn.job.model
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            if session.state is not SessionState.WORKING:
                return None
            budget = await context.budget.today(tx, session.owner_id)
            tokens = affordable_tokens(
                context.prices,
                model,
                prompt_tokens=prompt_tokens,
                max_tokens=max_tokens,
                free_usd_micros=budget.free_usd_micros,
            )
            if tokens is not None:
                worst = worst_usage(prompt_tokens, tokens)
                call = ModelCallRow(
                    request_id=RequestId(context.ids.new("call")),
                    session_id=session.session_id,
                    owner_id=session.owner_id,
                    day_start=budget.day.start,
                    model=model,
                    reserved_usd_micros=context.prices.cost_usd_micros(model, worst),
                    worst_usage=worst,
                    started_at=context.clock.now(),
                )
                if await tx.ledger.reserve(call):
                    origin = context.transitions.origin(session)
                    tx.emit(Thinking(**origin, iteration=session.iteration + 1))
                    return CallTicket(call=call, max_tokens=tokens)
            needed = closing_usd_micros(context.prices, model, prompt_tokens)
            await self._observation.sleep_for_money(tx, session, budget, needed)
            return None

    async def call_failed(
        self, turn: Turn, ticket: CallTicket, error: ModelError, retry: RetryNotice | None
    ) -> bool:
        """Settle the marked estimate and, if there is one, publish the retry."""
        context = self._context
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            entry = self._books.for_failure(ticket.call, error)
            session = await self._settle(tx, session, ticket.call, entry)
            if retry is not None:
                tx.emit(
                    Retrying(
                        **context.transitions.origin(session),
                        attempt=retry.attempt,
                        error_type=error.code,
                        retry_at=retry.retry_at,
                    )
                )
            return session.state is SessionState.WORKING

    async def record_reply(
        self, turn: Turn, ticket: CallTicket, reply: ModelReply, note: str | None
    ) -> bool:
        """Reply, cost, planned tools and note in one transaction."""
        context = self._context
        message = Message(role=Role.ASSISTANT, blocks=reply.blocks)
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            position = session.message_count
            await tx.conversation.append(session.session_id, position, message)
            if message.tool_uses:
                await tx.conversation.plan_tools(session.session_id, message.tool_uses)
            if note is not None:
                item = InboxItem(source_id=f"note:{position}", kind=InboxKind.NOTE, text=note)
                await tx.conversation.put(session.session_id, item, context.clock.now())
            session = replace(session, message_count=position + 1)
            entry = self._books.for_reply(ticket.call, reply)
            session = await self._settle(tx, session, ticket.call, entry)
        turn.messages.append(message)
        turn.last_call_usd_micros = entry.amount_usd_micros
        return session.state is SessionState.WORKING

    async def _settle(
        self, tx: Transaction, session: Session, call: ModelCallRow, entry: LedgerEntry
    ) -> Session:
        """Write the cost and `budget_pct`; a crossed ceiling puts the session to sleep."""
        context = self._context
        budget = await context.budget.record_call_cost(tx, call, entry)
        session = await context.transitions.show_budget(tx, session, budget)
        if budget.runaway and session.state is SessionState.WORKING:
            return await self._observation.sleep_for_money(tx, session, budget, 0)
        return session

    async def settle_lost(self, tx: Transaction, session: Session) -> Session:
        """Settle calls whose reply nobody waits for any more, as marked estimates."""
        context = self._context
        for call in await tx.ledger.open_calls(session.session_id):
            day = await context.budget.record_call_cost(tx, call, self._books.for_lost(call))
            session = await context.transitions.show_budget(tx, session, day)
        return session

    async def planned_tools(self, turn: Turn) -> Sequence[ToolCallRow]:
        """What is known of the newest message's tool calls."""
        ids = [use.id for use in turn.messages[-1].tool_uses]
        if not ids:
            return ()
        async with self._context.store.reading() as tx:
            return await tx.conversation.tools(turn.job.session_id, ids)

    async def tool_started(self, turn: Turn, use: ToolUseBlock) -> bool:
        """False when the session does not work any more; nothing is started then."""
        context = self._context
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            if session.state is not SessionState.WORKING:
                return False
            now = context.clock.now()
            await tx.conversation.start_tool(session.session_id, use.id, now)
            return True

    async def tool_done(
        self, turn: Turn, use: ToolUseBlock, outcome: ToolOutcome, duration_s: float
    ) -> ToolResultBlock:
        """Result and effects in one transaction."""
        context, text = self._context, outcome.text
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            # A job that was ended meanwhile asks nothing any more.
            if session.state not in ENDED:
                for effect in outcome.effects:
                    session, added = await apply_effect(context, tx, session, effect)
                    text += added
                text += await count_attempt(context, tx, session, outcome)
            result = ToolResultBlock(
                tool_use_id=use.id, text=text, is_error=outcome.is_error, image=outcome.image
            )
            await tx.conversation.finish_tool(
                session.session_id,
                result,
                action=action_fingerprint(use, outcome),
                at=context.clock.now(),
            )
            await tx.sessions.save(replace(session, tool_calls=session.tool_calls + 1))
            tx.emit(
                ToolCalled(
                    **context.transitions.origin(session),
                    tool_name=use.name,
                    tool_label=outcome.label,
                    tool_summary=outcome.summary,
                    duration=round(duration_s, 3),
                    is_error=outcome.is_error,
                )
            )
        return result

    async def observe(self, turn: Turn, results: Sequence[ToolResultBlock]) -> bool:
        """All results and the inbox as one message; the iteration is over."""
        context = self._context
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            session, message = await self._observation.after_tools(tx, session, turn, results)
        return _kept(turn, session, message)

    async def conclude(self, turn: Turn) -> bool:
        """The model had a last word."""
        context = self._context
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            session, message = await self._observation.after_last_word(tx, session, turn)
        return _kept(turn, session, message)

    async def sleep_until(self, turn: Turn, wake_at: datetime, reason: str) -> None:
        """The provider wants a longer pause than a worker should wait awake."""
        context = self._context
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            if session.state is SessionState.WORKING:
                await context.transitions.sleep(tx, session, wake_at, reason, PROVIDER_REASON)

    async def escalate(self, turn: Turn, stuck: Stuck) -> None:
        """Ask the founder and wait."""
        context = self._context
        async with context.store.writing() as tx:
            session = await context.claimed(tx, turn)
            if session.state is SessionState.WORKING:
                await self._observation.escalate(tx, session, stuck)

    async def fail(self, turn: Turn, problem: str) -> None:
        """End in error; a call that broke off on the way there is settled as lost."""
        context = self._context
        async with context.store.writing() as tx:
            session = await self.settle_lost(tx, await context.claimed(tx, turn))
            if session.state is SessionState.WORKING:
                await context.transitions.fail(tx, session, problem)


def _kept(turn: Turn, session: Session, message: Message | None) -> bool:
    if message is not None:
        turn.messages.append(message)
    turn.iteration = session.iteration
    return session.state is SessionState.WORKING
