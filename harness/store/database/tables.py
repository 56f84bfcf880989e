"""The tables' columns as SQL needs them, derived from the records."""

from harness.records import environment_aliases
from harness.store.spool.codec import Kind, columns_of

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "money": "DECIMAL(18, 10)",
    "time": "TIMESTAMP",
    "json": "JSON",
}

TABLE_OF: dict[str, str] = {
    "run": "runs",
    "request": "requests",
    "call": "calls",
    "grade": "grades",
    "event": "events",
    "gate_result": "gate_results",
    "alert_event": "alert_events",
    "content": "contents",
}
"""Record type -> its table. A run's end is folded into `runs`."""

PUBLIC_TABLES = (*TABLE_OF.values(), "quarantine")
"""What a reader sees."""

FACT_COLUMNS: dict[str, Kind] = {
    "task": "text",
    "strategy": "text",
    "server_ms": "float",
    **{
        name: kind
        for name, kind in columns_of("request").items()
        if name.startswith(("draft_", "repair_")) or name in ("cost_usd", "unpriced", "mixed_providers")
    },
    "prompt_cache_hit": "bool",
    "confidence": "float",
    "quality_score": "float",
    "score_basis": "text",
    "quality_tier": "text",
    "fallback_reason": "text",
    "environment": "text",
    "provider_mode": "text",
    "stages_ms": "json",
    "tags": "json",
}
"""Columns of `requests` that the completed event can fill."""


def column_list(type_name: str, prefix: str = "") -> str:
    """The record type's columns, comma-separated, each behind a prefix."""
    return ", ".join(f"{prefix}{name}" for name in columns_of(type_name))


def environment_sql(value: str) -> str:
    """`records.environment_name` in SQL; a blank name stays blank."""
    folded = f"lower(trim({value}, ' \t\r\n'))"
    aliases = " ".join(f"WHEN '{short}' THEN '{long}'" for short, long in environment_aliases().items())
    return f"CASE {folded} {aliases} ELSE {folded} END" if aliases else folded
