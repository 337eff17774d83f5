"""How an iteration ends: what the model is told, and whether the session goes on."""

from collections.abc import Sequence
from dataclasses import replace

from cofounder.agent.journal import STOP_OPTION, Stuck, Turn
from cofounder.agent.prompt import (
    CALLED_OFF_NOTE,
    CUT_NOTE,
    EMPTY_NOTE,
    NOTHING_DONE_NOTE,
    NUDGE_NOTE,
    wind_down_note,
)
from cofounder.agent.tools.document import Document
from cofounder.domain.budget import (
    WIND_DOWN_ITERATIONS,
    DayBudget,
    is_out_of_reach,
    is_time_to_wind_down,
    next_chance,
)
from cofounder.domain.escalation import MAX_OPEN, Option
from cofounder.domain.events.agent import BuildPaused, Completed
from cofounder.domain.ids import EscalationId
from cofounder.domain.money import format_usd
from cofounder.domain.phases import Phase, PhaseStatus, complete
from cofounder.domain.repetition import ESCALATE_AFTER, Rung, rung
from cofounder.domain.session import Session, SessionState
from cofounder.domain.transcript import Block, Message, Role, TextBlock, ToolResultBlock
from cofounder.ports.store import InboxItem, InboxKind, Transaction
from cofounder.services.accounting import closing_usd_micros
from cofounder.services.context import Context
from cofounder.services.effects import save_phases
from cofounder.services.escalations import Asked
from cofounder.services.transitions import BUDGET_REASON, HANDOVER

_USELESS_REPLIES = 3
_PLENTY = 3
_WORTH_WAKING = 2
_TOOL_CAP = "tool-cap:"


def inbox_text(item: InboxItem) -> str:
    """How an inbox item reads in the conversation."""
    if item.kind is InboxKind.MESSAGE:
        return f"[Message of the founder:]\n{item.text}"
    return item.text


async def append_inbox(
    tx: Transaction, session: Session, results: Sequence[ToolResultBlock], notes: Sequence[str]
) -> tuple[Session, Message | None]:
    """One user message: results first, then what is in the inbox, then notes."""
    items = await tx.conversation.take(session.session_id, session.message_count)
    texts = [*map(inbox_text, items), *notes]
    blocks: tuple[Block, ...] = (*results, *(TextBlock(text=text) for text in texts))
    if not blocks:
        return session, None
    message = Message(role=Role.USER, blocks=blocks)
    await tx.conversation.append(session.session_id, session.message_count, message)
    return replace(session, message_count=session.message_count + 1), message


class Observation:
    """The two ways in which an iteration ends: with tool results, or with a last word."""

    def __init__(self, context: Context) -> None:
        """Works inside the transactions of the journal."""
        self._context = context

    async def after_tools(
        self, tx: Transaction, session: Session, turn: Turn, results: Sequence[ToolResultBlock]
    ) -> tuple[Session, Message | None]:
        """Append results and inbox, count the iteration, then mind limits and money."""
        budget = await self._context.budget.today(tx, session.owner_id)
        # One more working step like the last one must still leave enough for closing.
        needed = self._closing(turn) + turn.last_call_usd_micros
        session, notes = _wind_down(session, budget, needed)
        step = rung(
            await tx.conversation.recent_actions(session.session_id, limit=2 * ESCALATE_AFTER)
        )
        if step is Rung.NUDGE:
            notes = [*notes, NUDGE_NOTE]
        session, message = await append_inbox(tx, session, results, notes)
        session = replace(session, iteration=session.iteration + 1, barren_starts=0)
        await tx.sessions.save(session)
        if session.state is SessionState.WORKING:
            session = await self._stop_if_due(tx, session, turn, budget, step)
        return session, message

    def _closing(self, turn: Turn) -> int:
        return closing_usd_micros(self._context.prices, turn.job.model, turn.prompt_tokens)

    async def _stop_if_due(
        self, tx: Transaction, session: Session, turn: Turn, budget: DayBudget, step: Rung
    ) -> Session:
        if step is Rung.ESCALATE:
            return await self.escalate(tx, session, _in_a_circle())
        cap = await self._tool_cap(tx, session, turn)
        if session.tool_calls >= cap:
            return await self.escalate(tx, session, _tool_cap(cap))
        if len(await tx.decisions.open_of_session(session.session_id)) > MAX_OPEN:
            reason = f"More than {MAX_OPEN} decisions are open."
            tx.emit(BuildPaused(**self._context.transitions.origin(session), reason=reason))
            return await self._wait(tx, session, reason)
        if session.wind_down_left is not None and session.wind_down_left <= 0:
            return await self.sleep_for_money(
                tx, session, budget, _WORTH_WAKING * self._closing(turn)
            )
        if self._context.engine.stopping:
            return await self._context.transitions.queue(tx, session, "the service restarts")
        return session

    async def _tool_cap(self, tx: Transaction, session: Session, turn: Turn) -> int:
        """How many tool calls the job may use, as often as the founder has raised it."""
        if session.tool_calls < turn.job.max_tool_calls:
            return turn.job.max_tool_calls
        raises = [
            asked
            for asked in await tx.decisions.of_job(session.job_id)
            if asked.cause.startswith(_TOOL_CAP) and asked.answer is not None
        ]
        return turn.job.max_tool_calls * (1 + len(raises))

    async def after_last_word(
        self, tx: Transaction, session: Session, turn: Turn
    ) -> tuple[Session, Message | None]:
        """The model asked for no tool: go on with news, or wait, sleep or finish."""
        session, message = await append_inbox(tx, session, (), ())
        session = replace(session, iteration=session.iteration + 1, barren_starts=0)
        working = session.state is SessionState.WORKING
        if message is None and working:
            session, notes = await self._reasons_to_go_on(tx, session, turn)
            session, message = await append_inbox(tx, session, (), notes)
        await tx.sessions.save(session)
        if not working:
            return session, message
        if message is None:
            session = await self._rest(tx, session, turn)
        elif _gets_nowhere([*turn.messages, message]):
            session = await self.escalate(tx, session, _silent())
        return session, message

    async def _rest(self, tx: Transaction, session: Session, turn: Turn) -> Session:
        if await tx.decisions.open_of_session(session.session_id):
            return await self._wait(tx, session, "nothing is left to do before the answer")
        phases = await tx.work.phases(session.job_id)
        if _stops_for_today(session, turn, phases):
            budget = await self._context.budget.today(tx, session.owner_id)
            needed = _WORTH_WAKING * self._closing(turn)
            return await self.sleep_for_money(tx, session, budget, needed)
        return await self._finish(tx, session, turn, phases)

    async def _reasons_to_go_on(
        self, tx: Transaction, session: Session, turn: Turn
    ) -> tuple[Session, list[str]]:
        """What is said to a model that ended its turn too early."""
        if _did_nothing(session, turn):
            return session, [NOTHING_DONE_NOTE]
        if _stops_for_today(session, turn, await tx.work.phases(session.job_id)):
            budget = await self._context.budget.today(tx, session.owner_id)
            return _called_off(session, budget, self._closing(turn))
        return session, []

    async def _finish(
        self, tx: Transaction, session: Session, turn: Turn, phases: Sequence[Phase]
    ) -> Session:
        now = self._context.clock.now()
        done = tuple(complete(p, now) for p in phases if p.status is PhaseStatus.IN_PROGRESS)
        await save_phases(self._context, tx, session, done)
        transitions = self._context.transitions
        report = turn.messages[-1].text
        finished = replace(session, current_phase=None, wind_down_left=None)
        finished = await transitions.move(tx, finished, SessionState.COMPLETED, "all is built")
        tx.emit(Completed(**transitions.origin(session), message=report))
        return finished

    async def sleep_for_money(
        self, tx: Transaction, session: Session, budget: DayBudget, needs_usd_micros: int
    ) -> Session:
        """Sleep until the next refresh, under the name that the breaker gives it.

        When no day of this plan will ever pay for a step, sleeping is no way out: it asks.
        """
        plan = await self._context.budget.plan(tx, session.owner_id)
        now = self._context.clock.now()
        if is_out_of_reach(plan, budget, needs_usd_micros, now):
            return await self.escalate(tx, session, _too_dear(budget, needs_usd_micros))
        session = replace(session, needs_usd_micros=needs_usd_micros)
        due = next_chance(plan, budget, needs_usd_micros, now)
        spent, allowance = budget.spent_usd_micros, budget.allowance_usd_micros
        message = f"{format_usd(spent)} of today's {format_usd(allowance)} is used."
        if not budget.at_graceful_threshold:
            message += " The rest does not pay for another step."
        if due < budget.day.end:
            message += " Other jobs hold what is left just now."
        if budget.runaway:
            return await self._context.transitions.exceed(tx, session, due, message)
        return await self._context.transitions.sleep(tx, session, due, message, BUDGET_REASON)

    async def escalate(self, tx: Transaction, session: Session, stuck: Stuck) -> Session:
        """Put the service's own question and wait for the answer."""
        options = tuple(
            Option(id=id_, label=label, description=description, reversible=id_ != STOP_OPTION[0])
            for id_, label, description in stuck.options
        )
        asked = Asked(
            escalation_id=EscalationId(self._context.ids.new("esc")),
            cause=stuck.cause,
            problem=stuck.problem,
            attempts=stuck.attempts,
            options=options,
            recommended=stuck.recommended,
        )
        await self._context.escalations.ask(tx, session, asked)
        return await self._wait(tx, session, stuck.problem)

    async def _wait(self, tx: Transaction, session: Session, reason: str) -> Session:
        return await self._context.transitions.move(
            tx, session, SessionState.WAITING_FOR_INPUT, reason
        )


def _wind_down(
    session: Session, budget: DayBudget, closing_usd_micros: int
) -> tuple[Session, list[str]]:
    """Begin, count down or (after a top-up) call off the closing iterations."""
    if session.wind_down_left is not None:
        session = replace(session, wind_down_left=session.wind_down_left - 1)
        return _called_off(session, budget, closing_usd_micros)
    if not is_time_to_wind_down(budget, closing_usd_micros):
        return session, []
    left = max(0, budget.allowance_usd_micros - budget.spent_usd_micros)
    note = wind_down_note(budget.budget_pct, format_usd(left), WIND_DOWN_ITERATIONS)
    return replace(session, wind_down_left=WIND_DOWN_ITERATIONS), [note]


def _called_off(
    session: Session, budget: DayBudget, closing_usd_micros: int
) -> tuple[Session, list[str]]:
    """End a wind-down when there is plenty again, not when the last step was a cheap one."""
    if is_time_to_wind_down(budget, _PLENTY * closing_usd_micros):
        return session, []
    return replace(session, wind_down_left=None), [CALLED_OFF_NOTE]


def _stops_for_today(session: Session, turn: Turn, phases: Sequence[Phase]) -> bool:
    """Whether a last word while winding down means "until tomorrow" and not "done"."""
    if session.wind_down_left is None or _all_done(phases):
        return False
    return _handed_over(turn) or any(p.status is PhaseStatus.PENDING for p in phases)


def _handed_over(turn: Turn) -> bool:
    """Whether a closing iteration wrote the note. By the clock it may be of yesterday."""
    replies = [m for m in turn.messages if m.role is Role.ASSISTANT][-WIND_DOWN_ITERATIONS - 1 :]
    uses = (use for reply in replies for use in reply.tool_uses)
    return any(use.name == Document.name and use.input.get("name") == HANDOVER for use in uses)


def _all_done(phases: Sequence[Phase]) -> bool:
    return bool(phases) and all(p.status is PhaseStatus.COMPLETED for p in phases)


def _did_nothing(session: Session, turn: Turn) -> bool:
    """Whether the very first reply already was the last word."""
    return session.tool_calls == 0 and len(turn.messages) <= 2


def _gets_nowhere(messages: Sequence[Message]) -> bool:
    """Whether each of the last replies had to be answered with a note that it was no use."""
    answers = messages[1 - 2 * _USELESS_REPLIES :: 2]
    return len(answers) == _USELESS_REPLIES and all(
        m.role is Role.USER and any(note in m.text for note in (CUT_NOTE, EMPTY_NOTE))
        for m in answers
    )


_GUIDE = ("guide", "Give guidance", "Say in the guidance how to go on.")


def _in_a_circle() -> Stuck:
    return Stuck(
        cause="repetition",
        problem="The agent repeats the same step with the same result and does not get on.",
        recommended="guide",
        options=(_GUIDE, STOP_OPTION),
    )


def _silent() -> Stuck:
    return Stuck(
        cause="silence",
        problem="The model has given several empty replies, or replies that were cut, in a row.",
        recommended="guide",
        options=(_GUIDE, STOP_OPTION),
    )


def _too_dear(budget: DayBudget, needs_usd_micros: int) -> Stuck:
    allowance = format_usd(budget.allowance_usd_micros)
    return Stuck(
        cause="too-dear",
        problem=(
            f"One step may cost up to {format_usd(needs_usd_micros)}, which is more than a "
            f"day's allowance ({allowance}) will ever pay for."
        ),
        recommended="funded",
        options=(
            ("funded", "There is more money now", "The plan was raised, or topped up."),
            STOP_OPTION,
        ),
    )


def _tool_cap(cap: int) -> Stuck:
    return Stuck(
        cause=f"{_TOOL_CAP}{cap}",
        problem=f"The job has used all {cap} tool calls that it may use.",
        recommended="raise",
        options=(("raise", "Allow as many again", "Go on with the same number."), STOP_OPTION),
    )
