"""Which columns of a run are empty, and why: an empty cell is never left without a reason."""

from collections.abc import Callable, Sequence

from harness.records import Call, Request, RequestStatus

_NO_TELEMETRY = "the target sent no telemetry; `harness ingest FILE --join RUN` fills it from its log"
_NO_STREAM = "the target does not stream to the client"
_NO_TOKENS = "the target streams its stages, not its tokens"
_BARE = {
    "quality_tier": "the target is a bare model: nothing grades its answers",
    "stages_ms": "the target is a bare model: it has no stages",
}

_COLUMNS: tuple[tuple[str, Callable[[Request], object], str], ...] = (
    ("cost_usd", lambda row: row.cost_usd, _NO_TELEMETRY),
    ("draft_source", lambda row: row.draft_source, _NO_TELEMETRY),
    ("quality_tier", lambda row: row.quality_tier, _NO_TELEMETRY),
    ("provider_mode", lambda row: row.provider_mode, _NO_TELEMETRY),
    ("stages_ms", lambda row: row.stages_ms, "the target sent neither telemetry nor Server-Timing"),
    ("ttft_ms", lambda row: row.ttft_ms, _NO_STREAM),
    ("itl_ms", lambda row: row.itl_ms, _NO_STREAM),
    ("lateness_ms", lambda row: row.lateness_ms, "these rows come from no load generator"),
)


def empty_columns(rows: Sequence[Request], calls: Sequence[Call]) -> tuple[tuple[str, str], ...]:
    """(column, why) for each column without a value, or with some missing among answered requests."""
    answered = [row for row in rows if row.status is RequestStatus.OK]
    special = _special_reasons(answered)
    found: list[tuple[str, str]] = []
    for name, value_of, reason in _COLUMNS:
        missing = sum(value_of(row) is None for row in answered)
        if answered and missing == len(answered):
            found.append((name, special.get(name, reason)))
        elif missing and not reason.startswith(_NO_STREAM):
            found.append((name, f"missing for {missing} of {len(answered)} answered requests"))
    if rows and not calls:
        found.append(("calls", "no attempt was recorded: the target keeps its calls to itself"))
    return tuple(found)


def _special_reasons(answered: Sequence[Request]) -> dict[str, str]:
    """Column -> reason, where this target has a better one than most."""
    if answered and all(row.scenario is not None and row.task is None for row in answered):
        return _BARE
    if any(row.ttft_ms is not None for row in answered):
        return {"itl_ms": _NO_TOKENS}
    return {}
