"""What every event carries around its own fields."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias, TypedDict

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from cofounder.domain.ids import JobId, SessionId


def _in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


UtcDatetime: TypeAlias = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Origin(TypedDict):
    """Where and when an event came about; `at` is aware and in UTC."""

    at: datetime
    job_id: JobId
    session_id: SessionId


class Envelope(BaseModel):
    """Base of all events.

    `seq` is gapless per job and given by the store, as is `epoch`, the identity of the
    job's log; both are blank on an event that is not stored yet.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        json_schema_serialization_defaults_required=True,
    )

    seq: int = 0
    epoch: str = ""
    at: UtcDatetime
    job_id: JobId
    session_id: SessionId
