"""The only place that wires: settings in, a running service out."""

from cofounder.bootstrap.demo import DemoRun, demo
from cofounder.bootstrap.service import (
    LOCAL_OWNER,
    Running,
    local_token,
    migrate,
    redacted,
    running,
)
from cofounder.bootstrap.survey import Finding, Verdict, survey

__all__ = [
    "LOCAL_OWNER",
    "DemoRun",
    "Finding",
    "Running",
    "Verdict",
    "demo",
    "local_token",
    "migrate",
    "redacted",
    "running",
    "survey",
]
