"""Identifiers: a prefix that says what it names, and 128 bits that sort by creation.

The bits come from outside (`ports.clock.Ids`), so that this stays pure.
"""

from typing import NewType

JobId = NewType("JobId", str)
SessionId = NewType("SessionId", str)
OwnerId = NewType("OwnerId", str)
EscalationId = NewType("EscalationId", str)
RequestId = NewType("RequestId", str)
ToolUseId = NewType("ToolUseId", str)
