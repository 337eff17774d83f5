"""All tables. The engine keeps its own ones in the same database, hence the prefix.

Amounts are whole micro-dollars. JSON is kept as text: it is written and read whole.
"""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text

from cofounder.adapters.sql.column_types import Instant, Prose

PREFIX = "cofounder_"

metadata = sa.MetaData()


def _row_id() -> Column[int]:
    """Counts rows in the order of their insertion; SQLite counts plain INTEGER keys only."""
    return Column(
        "row_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )


def _parent(key: str) -> ForeignKey:
    """Checked at the commit, so that rows may be written in any order."""
    return ForeignKey(PREFIX + key, deferrable=True, initially="DEFERRED")


def _table(name: str, *parts: sa.schema.SchemaItem, with_rowid: bool = True) -> sa.Table:
    """Without rowids SQLite keeps the rows in the key's own tree: good for short ones."""
    # Nobody asks for the keys that the database makes up.
    return sa.Table(
        PREFIX + name, metadata, *parts, implicit_returning=False, sqlite_with_rowid=with_rowid
    )


# Events move `last_seq` on; the long texts come last, out of that update's way.
jobs = _table(
    "jobs",
    Column("job_id", Text, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("model", Text, nullable=False),
    Column("max_tool_calls", Integer, nullable=False),
    Column("idempotency_key", Text),
    Column("request_hash", Text, nullable=False),
    Column("idea_brief", Prose, nullable=False),
    Column("understanding_qna", Text, nullable=False),
    Column("build_plan", Text),
)
Index("cofounder_jobs_of_owner", jobs.c.owner_id, jobs.c.created_at, jobs.c.job_id)
_has_key = jobs.c.idempotency_key.is_not(None)
Index(
    "cofounder_jobs_by_key",
    jobs.c.owner_id,
    jobs.c.idempotency_key,
    unique=True,
    sqlite_where=_has_key,
    postgresql_where=_has_key,
)

# The columns are the fields of `domain.session.Session`.
sessions = _table(
    "sessions",
    Column("session_id", Text, primary_key=True),
    Column("job_id", Text, _parent("jobs.job_id"), nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("budget_pct", Integer, nullable=False),
    Column("wake_at", Instant),
    Column("sleep_reason", Prose),
    Column("wind_down_left", Integer),
    Column("current_phase", Prose),
    Column("needs_usd_micros", BigInteger, nullable=False),
    Column("barren_starts", Integer, nullable=False),
    Column("problem", Prose),
)
Index("cofounder_sessions_of_owner", sessions.c.owner_id)
Index("cofounder_sessions_in_state", sessions.c.state)

messages = _table(
    "messages",
    Column("session_id", Text, _parent("sessions.session_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),
    Column("blocks", Text, nullable=False),
)

tool_calls = _table(
    "tool_calls",
    _row_id(),
    Column("session_id", Text, _parent("sessions.session_id"), nullable=False),
    Column("tool_use_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("use", Text, nullable=False),
    Column("result", Text),
    Column("action", Text),
    Column("started_at", Instant),
    Column("finished_at", Instant),
)
Index("cofounder_tool_calls_by_use", tool_calls.c.session_id, tool_calls.c.tool_use_id, unique=True)
Index("cofounder_tool_calls_in_order", tool_calls.c.session_id, tool_calls.c.row_id)

failures = _table(
    "failures",
    _row_id(),
    Column("session_id", Text, _parent("sessions.session_id"), nullable=False),
    Column("goal", Prose, nullable=False),
    Column("strategy", Prose, nullable=False),
    Column("approach", Prose, nullable=False),
    Column("result", Prose, nullable=False),
    Column("at", Instant, nullable=False),
)
Index("cofounder_failures_of_session", failures.c.session_id)

inbox = _table(
    "inbox",
    _row_id(),
    Column("session_id", Text, _parent("sessions.session_id"), nullable=False),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Prose, nullable=False),
    Column("put_at", Instant, nullable=False),
    Column("read_in", Integer),
)
Index("cofounder_inbox_by_source", inbox.c.session_id, inbox.c.source_id, unique=True)
_unread = inbox.c.read_in.is_(None)
Index("cofounder_inbox_unread", inbox.c.session_id, sqlite_where=_unread, postgresql_where=_unread)

plans = _table(
    "plans",
    Column("owner_id", Text, primary_key=True),
    Column("cycle_amount_usd_micros", BigInteger, nullable=False),
    Column("calendar", Text, nullable=False),
)

budget_days = _table(
    "budget_days",
    Column("owner_id", Text, primary_key=True),
    Column("day_start", Instant, primary_key=True, autoincrement=False),
    Column("day_end", Instant, nullable=False),
    Column("base_usd_micros", BigInteger, nullable=False),
    Column("top_up_usd_micros", BigInteger, nullable=False),
    Column("cycle_left_usd_micros", BigInteger, nullable=False),
    Column("ceiling_usd_micros", BigInteger, nullable=False),
    Column("spent_usd_micros", BigInteger, nullable=False),
    Column("reserved_usd_micros", BigInteger, nullable=False),
)

model_calls = _table(
    "model_calls",
    Column("request_id", Text, primary_key=True),
    Column("session_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("day_start", Instant, nullable=False),
    Column("model", Text, nullable=False),
    Column("reserved_usd_micros", BigInteger, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("settled_at", Instant),
    with_rowid=False,
)
_open = model_calls.c.settled_at.is_(None)
Index(
    "cofounder_model_calls_open",
    model_calls.c.session_id,
    sqlite_where=_open,
    postgresql_where=_open,
)

ledger = _table(
    "ledger",
    _row_id(),
    Column("request_id", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("session_id", Text),
    Column("kind", Text, nullable=False),
    Column("amount_usd_micros", BigInteger, nullable=False),
    Column("model", Text),
    Column("provider_request_id", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cache_read_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("price", Text),
    Column("at", Instant, nullable=False),
)
Index("cofounder_ledger_by_request", ledger.c.request_id, unique=True)
Index("cofounder_ledger_of_owner", ledger.c.owner_id, ledger.c.at)
Index("cofounder_ledger_of_session", ledger.c.session_id, ledger.c.at)

escalations = _table(
    "escalations",
    _row_id(),
    Column("escalation_id", Text, nullable=False),
    Column("job_id", Text, _parent("jobs.job_id"), nullable=False),
    Column("session_id", Text, _parent("sessions.session_id"), nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("cause", Prose, nullable=False),
    Column("problem", Prose, nullable=False),
    Column("attempts", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("recommended", Prose, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("decision", Prose),
    Column("guidance", Prose),
    Column("resolved_by", Text),
    Column("resolved_at", Instant),
)
Index("cofounder_escalations_by_id", escalations.c.escalation_id, unique=True)
Index("cofounder_escalations_of_job", escalations.c.job_id)
Index("cofounder_escalations_of_owner", escalations.c.owner_id)
_unanswered = escalations.c.resolved_at.is_(None)
Index(
    "cofounder_escalations_open",
    escalations.c.session_id,
    sqlite_where=_unanswered,
    postgresql_where=_unanswered,
)

phases = _table(
    "phases",
    _row_id(),
    Column("job_id", Text, _parent("jobs.job_id"), nullable=False),
    Column("phase_id", Text, nullable=False),
    Column("phase_name", Prose, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_at", Instant),
    Column("completed_at", Instant),
)
Index("cofounder_phases_of_job", phases.c.job_id, phases.c.phase_id, unique=True)

documents = _table(
    "documents",
    Column("job_id", Text, _parent("jobs.job_id"), primary_key=True),
    Column("name", Prose, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", Prose, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

events = _table(
    "events",
    Column("job_id", Text, _parent("jobs.job_id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),
    with_rowid=False,
)
