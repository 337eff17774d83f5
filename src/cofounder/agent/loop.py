"""Think, act, observe, repeat, until the session has to stop."""

from cofounder.agent.act import act
from cofounder.agent.journal import Turn
from cofounder.agent.kit import Kit
from cofounder.agent.think import think
from cofounder.domain.transcript import Role, unanswered


async def run_turn(turn: Turn, kit: Kit) -> None:
    """Run iterations until the journal says that the session does not work any more.

    Picks up wherever an earlier worker was stopped: with tool calls that have no result
    yet, with a last word that nobody acted on, or with a conversation that waits for a reply.
    """
    go_on = await _catch_up(turn, kit)
    while go_on:
        go_on = await think(turn, kit) and await act(turn, kit)


async def _catch_up(turn: Turn, kit: Kit) -> bool:
    last = turn.messages[-1]
    if unanswered(turn.messages) or last.role is Role.ASSISTANT:
        return await act(turn, kit)
    return True
