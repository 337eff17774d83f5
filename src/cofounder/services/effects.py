"""What a tool call changes in the store, in the transaction that keeps its result."""

import json
from dataclasses import replace
from hashlib import sha256

from cofounder.agent.tools.base import (
    DocumentVersion,
    Effect,
    Narration,
    Question,
    Snapshot,
    ToolOutcome,
)
from cofounder.domain.escalation import Attempt, Option
from cofounder.domain.events.agent import Narrated
from cofounder.domain.events.work import (
    DocumentUpdated,
    PhaseCompleted,
    PhaseStarted,
    SnapshotUpdated,
)
from cofounder.domain.failures import FailedAttempt, distinct_approaches, is_stuck
from cofounder.domain.ids import EscalationId
from cofounder.domain.phases import Phase, PhaseStatus, enter
from cofounder.domain.session import Session
from cofounder.domain.transcript import ToolUseBlock
from cofounder.ports.store import Transaction
from cofounder.services.context import Context
from cofounder.services.escalations import Asked


def action_fingerprint(use: ToolUseBlock, outcome: ToolOutcome) -> str:
    """The same call with the same result, to the letter: a changing result is progress."""
    text = json.dumps([use.name, use.input, outcome.text], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


async def apply_effect(
    context: Context, tx: Transaction, session: Session, effect: Effect
) -> tuple[Session, str]:
    """Store one effect; returns the session and what to add to the tool's result."""
    origin = context.transitions.origin(session)
    match effect:
        case Narration():
            tx.emit(Narrated(**origin, text=effect.text))
            if effect.phase_name is not None:
                return await enter_phase(context, tx, session, effect.phase_name), ""
        case DocumentVersion():
            now = context.clock.now()
            version = await tx.work.put_document(session.job_id, effect.name, effect.content, now)
            tx.emit(DocumentUpdated(**origin, name=effect.name, version=version))
        case Snapshot():
            tx.emit(SnapshotUpdated(**origin, path=effect.path))
        case Question():
            return session, await _ask(context, tx, session, effect)
    return session, ""


async def _ask(context: Context, tx: Transaction, session: Session, question: Question) -> str:
    now = context.clock.now()
    asked = Asked(
        escalation_id=question.escalation_id,
        cause=question.cause,
        problem=question.problem,
        attempts=tuple(
            Attempt(approach=approach, result=result, at=now) for approach, result in question.tried
        ),
        options=question.options,
        recommended=question.recommended,
    )
    kept = await context.escalations.ask(tx, session, asked)
    if kept.escalation_id != question.escalation_id:
        return f" You asked this already ({kept.escalation_id}); it is still open."
    return f" ({kept.escalation_id})"


async def enter_phase(
    context: Context, tx: Transaction, session: Session, phase_name: str
) -> Session:
    """The agent says where it is: close the phase before, open this one."""
    changed = enter(await tx.work.phases(session.job_id), phase_name, context.clock.now())
    await save_phases(context, tx, session, changed)
    current = next((p for p in changed if p.status is PhaseStatus.IN_PROGRESS), None)
    return replace(session, current_phase=current.phase_name) if current else session


async def save_phases(
    context: Context, tx: Transaction, session: Session, changed: tuple[Phase, ...]
) -> None:
    """Store changed phases and tell of each."""
    await tx.work.save_phases(session.job_id, changed)
    origin = context.transitions.origin(session)
    for phase in changed:
        if phase.completed_at is not None:
            tx.emit(
                PhaseCompleted(
                    **origin,
                    phase_id=phase.phase_id,
                    phase_name=phase.phase_name,
                    status=phase.status,
                    started_at=phase.started_at,
                    completed_at=phase.completed_at,
                )
            )
        elif phase.started_at is not None:
            tx.emit(
                PhaseStarted(
                    **origin,
                    phase_id=phase.phase_id,
                    phase_name=phase.phase_name,
                    status=phase.status,
                    started_at=phase.started_at,
                )
            )


async def count_attempt(
    context: Context, tx: Transaction, session: Session, outcome: ToolOutcome
) -> str:
    """Keep a failed approach, or forget the failures of a goal that was reached.

    When enough different approaches to one goal have failed, the founder is asked, with
    what was really tried. Returns what to add to the tool's result.
    """
    approach = outcome.approach
    if approach is None:
        return ""
    if not outcome.is_error:
        await tx.conversation.forget_failures(session.session_id, approach.goal)
        return ""
    attempt = FailedAttempt(
        goal=approach.goal,
        strategy=approach.strategy,
        approach=approach.description,
        result=outcome.text[-500:],
        at=context.clock.now(),
    )
    await tx.conversation.add_failure(session.session_id, attempt)
    failures = await tx.conversation.failures(session.session_id, approach.goal)
    if not is_stuck(failures):
        return "" if len(failures) < 2 else "\n[Failed again. Take a different approach.]"
    asked = _stuck(context, approach.goal, distinct_approaches(failures))
    kept = await context.escalations.ask(tx, session, asked)
    return (
        f"\n[{len(asked.attempts)} different approaches have failed. The founder was asked "
        f"({kept.escalation_id}). Go on with other work, or end your turn to wait.]"
    )


def _stuck(context: Context, goal: str, failures: tuple[FailedAttempt, ...]) -> Asked:
    return Asked(
        escalation_id=EscalationId(context.ids.new("esc")),
        cause=f"stuck:{goal}",
        problem=(
            f"{len(failures)} different approaches to the same goal have failed. "
            f"The last one: {failures[-1].approach}"
        ),
        attempts=tuple(Attempt(approach=f.approach, result=f.result, at=f.at) for f in failures),
        options=(
            Option(
                id="guide",
                label="Give guidance",
                description="Say in the guidance what to try or what to change.",
                reversible=True,
            ),
            Option(
                id="skip",
                label="Leave it out",
                description="Go on without this part and say so in the report.",
                reversible=True,
            ),
        ),
        recommended="guide",
    )
