# ruff: noqa: S608 - column names are constants
"""Which columns of a selection are empty, and why: an empty cell is never left without a reason."""

from harness.figures.selection import Rows

_NO_TELEMETRY = "the target sent no telemetry; `harness ingest FILE --join RUN` fills it from its log"
_NO_STREAM = "the target does not stream to the client"
_NO_TOKENS = "the target streams its stages, not its tokens"
_COLUMNS = {
    "cost_usd": _NO_TELEMETRY,
    "draft_source": _NO_TELEMETRY,
    "quality_tier": _NO_TELEMETRY,
    "provider_mode": _NO_TELEMETRY,
    "stages_ms": "the target sent neither telemetry nor Server-Timing",
    "ttft_ms": _NO_STREAM,
    "itl_ms": _NO_STREAM,
    "lateness_ms": "these rows come from no load generator",
}
_NO_TASK = {
    "quality_tier": "nothing grades the answers: a bare model, or a scenario that names no tier",
    "stages_ms": "the answers tell no stages: a bare model, or a scenario that names none",
    "draft_source": "neither the scenario nor the answers name a provider",
    "provider_mode": "the scenario says no `mode` for this target",
    "cost_usd": "neither the scenario nor the answers tell it",
}
_TOLD = {"draft_source": "told_draft_source"}
"""Columns that other rows may stand for, by what the request said itself."""


def empty_columns(rows: Rows, *, calls: int) -> tuple[tuple[str, str], ...]:
    """(column, why) for each column without a value, or with some missing among answered requests.

    Args:
        rows: the selection.
        calls: attempts that were recorded for it.
    """
    counts = ", ".join(f"count({_TOLD.get(name, name)}) AS {name}" for name in _COLUMNS)
    (told,) = rows.dicts(
        f"""SELECT count(*) AS answered, {counts}, mode(unpriced_because) AS because,
            count(CASE WHEN scenario IS NOT NULL AND task IS NULL THEN 1 END) AS bare
        FROM counted WHERE status = 'ok'"""
    )
    answered = told["answered"]
    special: dict[str, str] = {}
    if answered and told["bare"] == answered:
        special = _NO_TASK | ({"cost_usd": told["because"]} if told["because"] else {})
    elif told["ttft_ms"]:
        special = {"itl_ms": _NO_TOKENS}
    found: list[tuple[str, str]] = []
    for name, reason in _COLUMNS.items():
        missing = answered - told[name]
        if answered and missing == answered:
            found.append((name, special.get(name, reason)))
        elif missing and reason != _NO_STREAM:
            why = f": {told['because']}" if name == "cost_usd" and told["because"] else ""
            found.append((name, f"missing for {missing:,} of {answered:,} answered requests{why}"))
    if rows.n and not calls:
        found.append(("calls", "no attempt was recorded: the target keeps its calls to itself"))
    return tuple(found)
