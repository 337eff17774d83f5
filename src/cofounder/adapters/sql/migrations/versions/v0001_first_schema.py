"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _row_id() -> sa.Column[int]:
    """Counts the rows; SQLite counts plain INTEGER keys only."""
    return sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _parent(key: str, table: str) -> sa.ForeignKeyConstraint:
    """The row that this one belongs to, checked at the commit."""
    return sa.ForeignKeyConstraint([key], [f"{table}.{key}"], deferrable=True, initially="DEFERRED")


def _index_some(name: str, table: str, columns: list[str], condition: str) -> None:
    """Index just the rows that fulfil the condition."""
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Create all tables."""
    _jobs()
    _sessions()
    _conversation_messages()
    _conversation_news()
    _budget()
    _calls()
    _escalations()
    _work()


def _jobs() -> None:
    op.create_table(
        "cofounder_jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("max_tool_calls", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("idea_brief", sa.Text(), nullable=False),
        sa.Column("understanding_qna", sa.Text(), nullable=False),
        sa.Column("build_plan", sa.Text()),
        sa.PrimaryKeyConstraint("job_id"),
    )
    op.create_index(
        "cofounder_jobs_by_key",
        "cofounder_jobs",
        ["owner_id", "idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "cofounder_jobs_of_owner", "cofounder_jobs", ["owner_id", "created_at", "job_id"]
    )


def _sessions() -> None:
    op.create_table(
        "cofounder_sessions",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("tool_calls", sa.Integer(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("budget_pct", sa.Integer(), nullable=False),
        sa.Column("wake_at", sa.BigInteger()),
        sa.Column("sleep_reason", sa.Text()),
        sa.Column("wind_down_left", sa.Integer()),
        sa.Column("current_phase", sa.Text()),
        sa.Column("needs_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("barren_starts", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text()),
        _parent("job_id", "cofounder_jobs"),
        sa.PrimaryKeyConstraint("session_id"),
    )
    op.create_index("cofounder_sessions_in_state", "cofounder_sessions", ["state"])
    op.create_index("cofounder_sessions_of_owner", "cofounder_sessions", ["owner_id"])


def _conversation_messages() -> None:
    op.create_table(
        "cofounder_messages",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("blocks", sa.Text(), nullable=False),
        _parent("session_id", "cofounder_sessions"),
        sa.PrimaryKeyConstraint("session_id", "position"),
    )
    op.create_table(
        "cofounder_tool_calls",
        _row_id(),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("tool_use_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("result", sa.Text()),
        sa.Column("action", sa.Text()),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        _parent("session_id", "cofounder_sessions"),
        sa.PrimaryKeyConstraint("row_id"),
    )
    op.create_index(
        "cofounder_tool_calls_by_use",
        "cofounder_tool_calls",
        ["session_id", "tool_use_id"],
        unique=True,
    )
    op.create_index(
        "cofounder_tool_calls_in_order", "cofounder_tool_calls", ["session_id", "row_id"]
    )


def _conversation_news() -> None:
    op.create_table(
        "cofounder_failures",
        _row_id(),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("approach", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _parent("session_id", "cofounder_sessions"),
        sa.PrimaryKeyConstraint("row_id"),
    )
    op.create_index("cofounder_failures_of_session", "cofounder_failures", ["session_id"])
    op.create_table(
        "cofounder_inbox",
        _row_id(),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("put_at", sa.BigInteger(), nullable=False),
        sa.Column("read_in", sa.Integer()),
        _parent("session_id", "cofounder_sessions"),
        sa.PrimaryKeyConstraint("row_id"),
    )
    op.create_index(
        "cofounder_inbox_by_source", "cofounder_inbox", ["session_id", "source_id"], unique=True
    )
    _index_some("cofounder_inbox_unread", "cofounder_inbox", ["session_id"], "read_in IS NULL")


def _budget() -> None:
    op.create_table(
        "cofounder_plans",
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("cycle_amount_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id"),
    )
    op.create_table(
        "cofounder_budget_days",
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("day_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day_end", sa.BigInteger(), nullable=False),
        sa.Column("base_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("top_up_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("cycle_left_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("ceiling_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("spent_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("reserved_usd_micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "day_start"),
    )


def _calls() -> None:
    op.create_table(
        "cofounder_model_calls",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("day_start", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("reserved_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("request_id"),
        sqlite_with_rowid=False,
    )
    _index_some(
        "cofounder_model_calls_open", "cofounder_model_calls", ["session_id"], "settled_at IS NULL"
    )
    op.create_table(
        "cofounder_ledger",
        _row_id(),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_usd_micros", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("provider_request_id", sa.Text()),
        sa.Column("input_tokens", sa.BigInteger()),
        sa.Column("output_tokens", sa.BigInteger()),
        sa.Column("cache_read_tokens", sa.BigInteger()),
        sa.Column("cache_write_tokens", sa.BigInteger()),
        sa.Column("price", sa.Text()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_id"),
    )
    op.create_index("cofounder_ledger_by_request", "cofounder_ledger", ["request_id"], unique=True)
    op.create_index("cofounder_ledger_of_owner", "cofounder_ledger", ["owner_id", "at"])
    op.create_index("cofounder_ledger_of_session", "cofounder_ledger", ["session_id", "at"])


def _escalations() -> None:
    op.create_table(
        "cofounder_escalations",
        _row_id(),
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("recommended", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text()),
        sa.Column("guidance", sa.Text()),
        sa.Column("resolved_by", sa.Text()),
        sa.Column("resolved_at", sa.BigInteger()),
        _parent("job_id", "cofounder_jobs"),
        _parent("session_id", "cofounder_sessions"),
        sa.PrimaryKeyConstraint("row_id"),
    )
    op.create_index(
        "cofounder_escalations_by_id", "cofounder_escalations", ["escalation_id"], unique=True
    )
    op.create_index("cofounder_escalations_of_job", "cofounder_escalations", ["job_id"])
    op.create_index("cofounder_escalations_of_owner", "cofounder_escalations", ["owner_id"])
    _index_some(
        "cofounder_escalations_open", "cofounder_escalations", ["session_id"], "resolved_at IS NULL"
    )


def _work() -> None:
    op.create_table(
        "cofounder_phases",
        _row_id(),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("phase_id", sa.Text(), nullable=False),
        sa.Column("phase_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("completed_at", sa.BigInteger()),
        _parent("job_id", "cofounder_jobs"),
        sa.PrimaryKeyConstraint("row_id"),
    )
    op.create_index(
        "cofounder_phases_of_job", "cofounder_phases", ["job_id", "phase_id"], unique=True
    )
    op.create_table(
        "cofounder_documents",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _parent("job_id", "cofounder_jobs"),
        sa.PrimaryKeyConstraint("job_id", "name", "version"),
    )
    op.create_table(
        "cofounder_events",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        _parent("job_id", "cofounder_jobs"),
        sa.PrimaryKeyConstraint("job_id", "seq"),
        sqlite_with_rowid=False,
    )
