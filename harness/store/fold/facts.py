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
from harness.records.tags import MOST_TAG_CHARS, MOST_TAGS, TAG_NAME
from harness.store.database.tables import FACT_COLUMNS, SQL_TYPES, environment_sql
from harness.store.spool.codec import Kind

PATHS: dict[str, str] = {
    name: name for name in FACT_COLUMNS if name not in ("task", "unpriced", "stages_ms", "tags")
}
PATHS |= {"server_ms": "latency_ms"} | {name: name for name in ("status", "error_kind", "http_status")}
VOCABULARY: dict[str, type[Tier | ScoreBasis | FallbackReason | ProviderMode | ErrorKind | RequestStatus]] = {
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
    paths = ", ".join(f"'$.{path}'" for path in PATHS.values())
    typed = ", ".join(
        f"TRY_CAST(v[{index}] AS {SQL_TYPES[_kind(name)]}) AS {name}"
        for index, name in enumerate(PATHS, start=1)
    )
    values = {name: _known(name) for name in PATHS}
    tasks = " ".join(f"WHEN '{event}' THEN '{task}'" for event, task in REQUEST_EVENTS.items())
    values["task"] = f"CASE event {tasks} END"
    values["unpriced"] = f"{values['cost_usd']} IS NULL"
    values["stages_ms"] = "CASE json_type(stages) WHEN 'OBJECT' THEN stages END"
    values["tags"] = _tags_sql("tags")
    values["environment"] = f"coalesce(told_environment, {environment_sql('environment')})"
    events = ", ".join(f"'{event}'" for event in REQUEST_EVENTS)
    columns = ", ".join(f"{values[name]} AS {name}" for name in FACT_COLUMNS)
    return f"""
        SELECT _n, _spool, run_id, request_id, ts,
            CASE WHEN event LIKE '%.completed' THEN 'ok'
                ELSE coalesce({values["status"]}, 'error') END AS status,
            {values["error_kind"]} AS error_kind, {values["http_status"]} AS http_status, {columns}
        FROM (
            SELECT _n, _spool, run_id, request_id, ts, name AS event, environment AS told_environment,
                payload->'$.stages_ms' AS stages, payload->'$.tags' AS tags, {typed}
            FROM (
                SELECT *, json_extract_string(payload, [{paths}]) AS v FROM stage.event
                WHERE name IN ({events}) AND request_id IS NOT NULL
            )
        )"""


def _tags_sql(told: str) -> str:
    """`records.tags_of` in SQL: an object of texts, bounded; NULL when none is left."""
    plain = ", ".join(f"'{kind}'" for kind in ("VARCHAR", "BIGINT", "UBIGINT", "DOUBLE", "BOOLEAN"))
    # first by the name alone: no path is made of what could say more than a name
    named = f"list_filter(json_keys({told}), lambda name: regexp_full_match(name, '{TAG_NAME}'))"
    names = f"""list_filter({named}, lambda name: json_type({told}, '$.' || name) IN ({plain})
        AND trim(json_extract_string({told}, '$.' || name)) <> '')[1:{MOST_TAGS}]"""
    pairs = f"""list_transform({names}, lambda name: struct_pack(
        k := name, v := left(trim(json_extract_string({told}, '$.' || name)), {MOST_TAG_CHARS})))"""
    return f"""CASE WHEN json_type({told}) = 'OBJECT' AND len({names}) > 0
        THEN to_json(map_from_entries({pairs})) END"""


def _kind(name: str) -> Kind:
    return FACT_COLUMNS.get(name, "int" if name == "http_status" else "text")


def _known(name: str) -> str:
    if name in VOCABULARY:
        words = ", ".join(f"'{word}'" for word in VOCABULARY[name])
        return f"CASE WHEN {name} IN ({words}) THEN {name} END"
    if name in _UNIT_RANGE:
        return f"CASE WHEN {name} BETWEEN 0 AND 1 THEN {name} END"
    if _kind(name) in ("int", "float", "money"):
        return f"CASE WHEN {name} >= 0 AND {name} < 1e15 THEN {name} END"
    return name
