"""What operators' probes read."""

from typing import Literal

from pydantic import BaseModel


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]
    version: str


class Ready(BaseModel):
    """Every check has passed; a failed one is a problem that names it."""

    status: Literal["ok"]
    checks: list[str]
