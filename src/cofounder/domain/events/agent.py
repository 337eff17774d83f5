"""Events of the agent's own life. Amounts are micro-dollars, `duration` is in seconds."""

from typing import Literal

from pydantic import Field

from cofounder.domain.events.envelope import Envelope, UtcDatetime
from cofounder.domain.ids import EscalationId
from cofounder.domain.session import SessionState


class Thinking(Envelope):
    """A model call has begun."""

    type: Literal["agent.thinking"] = "agent.thinking"
    iteration: int


class ToolCalled(Envelope):
    """A tool has run; `tool_summary` says in one line what came of it."""

    type: Literal["agent.tool.called"] = "agent.tool.called"
    tool_name: str
    tool_label: str
    tool_summary: str
    duration: float
    is_error: bool


class Narrated(Envelope):
    """The agent tells the founder what it does."""

    type: Literal["agent.narrated"] = "agent.narrated"
    text: str


class BudgetUpdated(Envelope):
    """A call's cost was recorded, or the allowance changed."""

    type: Literal["agent.budget_updated"] = "agent.budget_updated"
    budget_pct: int
    spent: int
    limit: int


class Sleeping(Envelope):
    """The session sleeps until `wake_at`."""

    type: Literal["agent.sleeping"] = "agent.sleeping"
    message: str
    budget_pct: int
    wake_at: UtcDatetime
    reason: str


class Waking(Envelope):
    """The session goes on after a sleep."""

    type: Literal["agent.waking"] = "agent.waking"
    message: str
    reason: str


class BudgetExceeded(Envelope):
    """The hard ceiling was crossed; a sleep with another name."""

    type: Literal["agent.budget_exceeded"] = "agent.budget_exceeded"
    message: str
    wake_at: UtcDatetime


class Retrying(Envelope):
    """A model call failed and will be made again at `retry_at`."""

    type: Literal["agent.retrying"] = "agent.retrying"
    attempt: int
    error_type: str
    retry_at: UtcDatetime


class WaitingForInput(Envelope):
    """A decision is open for the founder."""

    type: Literal["agent.waiting_for_input"] = "agent.waiting_for_input"
    escalation_id: EscalationId


class EscalationResolved(Envelope):
    """The founder decided; `resolution` is the option's id."""

    type: Literal["agent.escalation_resolved"] = "agent.escalation_resolved"
    escalation_id: EscalationId
    resolution: str
    resolved_at: UtcDatetime


class BuildPaused(Envelope):
    """Too many decisions are open to go on."""

    type: Literal["agent.build_paused"] = "agent.build_paused"
    reason: str


class StateChanged(Envelope):
    """The session moved from one state to another."""

    type: Literal["agent.state_changed"] = "agent.state_changed"
    from_state: SessionState = Field(validation_alias="from", serialization_alias="from")
    to_state: SessionState = Field(validation_alias="to", serialization_alias="to")
    reason: str


class Completed(Envelope):
    """The job is done."""

    type: Literal["agent.completed"] = "agent.completed"
    message: str


class Failed(Envelope):
    """The session cannot go on; a person may retry it."""

    type: Literal["agent.failed"] = "agent.failed"
    problem: str
