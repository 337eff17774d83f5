"""A strict, scripted stand-in for the Anthropic Messages API, over real HTTP.

It plays a script, breaks where the script says so, refuses what the real provider
refuses, and keeps a bill of its own to compare a ledger with. `StrictProvider` runs in the
caller's event loop, `python -m cofounder.testing.provider` as a process.
"""

from cofounder.testing.provider.billing import BillRow
from cofounder.testing.provider.endpoint import Refusal, RequestRecord
from cofounder.testing.provider.faults import (
    BadRequest400,
    Billing402,
    Cut,
    Fault,
    Hang,
    HttpFault,
    InStreamError,
    Overloaded529,
    SilentEnd,
    Slow,
    Status429,
    Unauthorized401,
)
from cofounder.testing.provider.script import RequestView, Script, ToolCall, Turn, read_script
from cofounder.testing.provider.server import StrictProvider

__all__ = [
    "BadRequest400",
    "BillRow",
    "Billing402",
    "Cut",
    "Fault",
    "Hang",
    "HttpFault",
    "InStreamError",
    "Overloaded529",
    "Refusal",
    "RequestRecord",
    "RequestView",
    "Script",
    "SilentEnd",
    "Slow",
    "Status429",
    "StrictProvider",
    "ToolCall",
    "Turn",
    "Unauthorized401",
    "read_script",
]
