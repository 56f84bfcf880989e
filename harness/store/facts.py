# ruff: noqa: S608 - names in SQL come from the records, values are bound
"""What a completed event tells about its request, read leniently: any service may have written it."""

from harness.records import (
    REQUEST_EVENTS,
    ErrorKind,
    FallbackReason,
    ProviderMode,
    RequestStatus,
    ScoreBasis,
    Tier,
)
from harness.store.codec import Kind
from harness.store.tables import FACT_COLUMNS, SQL_TYPES

_PATHS: dict[str, str] = {
    name: name for name in FACT_COLUMNS if name not in ("task", "unpriced", "stages_ms")
}
_PATHS |= {"server_ms": "latency_ms"} | {name: name for name in ("status", "error_kind", "http_status")}
_VOCABULARY: dict[
    str, type[Tier | ScoreBasis | FallbackReason | ProviderMode | ErrorKind | RequestStatus]
] = {
    "status": RequestStatus,
    "quality_tier": Tier,
    "score_basis": ScoreBasis,
    "fallback_reason": FallbackReason,
    "provider_mode": ProviderMode,
    "error_kind": ErrorKind,
}
_UNIT_RANGE = ("confidence", "quality_score")


def facts_sql() -> str:
    """A SELECT over `stage.event`: one row an event about a finished request, typed as `requests` is.

    A value of the wrong type, outside its vocabulary or below zero becomes NULL: unknown.
    """
    names = list(_PATHS)
    paths = ", ".join(f"'$.{_PATHS[name]}'" for name in names)
    values = {name: _typed(name, f"v[{index}]") for index, name in enumerate(names, start=1)}
    tasks = " ".join(f"WHEN '{event}' THEN '{task}'" for event, task in REQUEST_EVENTS.items())
    values["task"] = f"CASE name {tasks} END"
    values["unpriced"] = f"{values['cost_usd']} IS NULL"
    values["stages_ms"] = (
        "CASE json_type(payload, '$.stages_ms') WHEN 'OBJECT' THEN payload->'$.stages_ms' END"
    )
    values["environment"] = f"coalesce(environment, {values['environment']})"
    events = ", ".join(f"'{event}'" for event in REQUEST_EVENTS)
    columns = ", ".join(f"{values[name]} AS {name}" for name in FACT_COLUMNS)
    return f"""
        SELECT _n, _spool, run_id, request_id, ts,
            CASE WHEN name LIKE '%.completed' THEN 'ok'
                ELSE coalesce({values["status"]}, 'error') END AS status,
            {values["error_kind"]} AS error_kind, {values["http_status"]} AS http_status, {columns}
        FROM (
            SELECT *, json_extract_string(payload, [{paths}]) AS v FROM stage.event
            WHERE name IN ({events}) AND request_id IS NOT NULL
        )"""


def _typed(name: str, text: str) -> str:
    kind = FACT_COLUMNS.get(name, "int" if name == "http_status" else "text")
    value = f"TRY_CAST({text} AS {SQL_TYPES[kind]})"
    if name in _VOCABULARY:
        words = ", ".join(f"'{word}'" for word in _VOCABULARY[name])
        return f"CASE WHEN {value} IN ({words}) THEN {value} END"
    if name in _UNIT_RANGE:
        return f"CASE WHEN {value} BETWEEN 0 AND 1 THEN {value} END"
    if _counts(kind):
        return f"CASE WHEN {value} >= 0 AND {value} < 1e15 THEN {value} END"
    return value


def _counts(kind: Kind) -> bool:
    return kind in ("int", "float", "money")
