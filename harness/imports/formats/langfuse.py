"""Langfuse: observations, traces and scores, from its API (camelCase) or its blob exports (snake_case).

A trace is a request, a generation a call. `latency` and `timeToFirstToken` are seconds. The parts of
`usageDetails` (`input_cached_tokens`, ...) stand beside `input` as their `total` tells; where no total is
told they do, because Langfuse sums them. A numeric score from 0 to 1 or a boolean is a grade; another scale
is kept in the grade's detail, its score unknown.
"""

from typing import Any

from harness.imports.observed import AGENT, CALL, STEP, Batch, JsonObject, Observed, Scored, token_fields
from harness.imports.tags import labelled
from harness.imports.times import nanoseconds
from harness.imports.words import error_kind, object_in, provider_name, provider_of_model, role_name
from harness.providers.reading.counts import Counted, normalised
from harness.providers.reading.values import as_count_or_none, as_list, as_object, as_usd, as_word
from harness.records import dump_json, environment_name

NAME = "langfuse"
ABOUT = "Langfuse exports: observations, traces and scores, JSON or JSON lines"

_KINDS = {
    "GENERATION": CALL,
    "EMBEDDING": AGENT,
    "AGENT": AGENT,
    "CHAIN": AGENT,
    "TOOL": AGENT,
    "EVALUATOR": AGENT,
}
_NAMES = {
    "traceId": "trace_id",
    "parentObservationId": "parent_observation_id",
    "startTime": "start_time",
    "endTime": "end_time",
    "completionStartTime": "completion_start_time",
    "usageDetails": "usage_details",
    "costDetails": "cost_details",
    "calculatedTotalCost": "total_cost",
    "totalCost": "total_cost",
    "statusMessage": "status_message",
    "providedModelName": "model",
    "provided_model_name": "model",
    "internalModelId": "internal_model_id",
    "timeToFirstToken": "time_to_first_token",
    "dataType": "data_type",
    "stringValue": "string_value",
    "sessionId": "session_id",
    "userId": "user_id",
    "modelParameters": "model_parameters",
}
_READ = (
    "input_cached_tokens",
    "cache_read_input_tokens",
    "input_cache_read",
    "cached_tokens",
    "input_cached",
)
_WRITTEN = (
    "cache_creation_input_tokens",
    "input_cache_creation",
    "input_cache_write",
    "cache_write_input_tokens",
)
_REASONING = ("output_reasoning_tokens", "reasoning_tokens", "output_reasoning")


def recognises(value: JsonObject) -> bool:
    """An observation, a trace with observations, a score, or a page of them."""
    row = _page(value)[0] if _page(value) else value
    told = _snake(row) if isinstance(row, dict) else {}
    if "trace_id" in told and "type" in told and "start_time" in told:
        return True
    return _is_score(told) or _is_trace(told)


def read(value: JsonObject, batch: Batch, environment: str | None) -> str | None:
    """Take one row or one page in; see `formats.Reader`."""
    rows = _page(value)
    if rows:
        problems = [problem for row in rows if (problem := _row(_snake(as_object(row)), batch, environment))]
        return problems[0] if len(problems) == len(rows) else None
    return _row(_snake(value), batch, environment)


def _page(value: JsonObject) -> list[Any]:
    """The rows of an answer of the API (`data` beside `meta`); none for a row by itself."""
    return as_list(value.get("data")) if "meta" in value else []


def _snake(value: JsonObject) -> dict[str, Any]:
    return {_NAMES.get(key, key): item for key, item in value.items()}


def _is_score(told: JsonObject) -> bool:
    return (
        "trace_id" in told
        and "name" in told
        and "value" in told
        and ("data_type" in told or "source" in told)
    )


def _is_trace(told: JsonObject) -> bool:
    return "id" in told and "timestamp" in told and ("observations" in told or "session_id" in told)


def _row(told: JsonObject, batch: Batch, environment: str | None) -> str | None:
    if _is_score(told):
        batch.scored.append(_score(told))
        return None
    if "start_time" in told:
        return _observation(told, batch, environment)
    if not _is_trace(told):
        return "neither an observation, a trace nor a score"
    where = environment_name(as_word(told.get("environment"))) or environment
    inner = [_snake(item) for item in as_list(told.get("observations")) if isinstance(item, dict)]
    problems = [_observation({**item, "trace_id": told["id"]}, batch, where) for item in inner]
    batch.scored += [
        _score({**_snake(item), "trace_id": told["id"]})
        for item in as_list(told.get("scores"))
        if isinstance(item, dict)
    ]
    started = nanoseconds(told.get("timestamp"))
    trace = as_word(told.get("id"))
    if started is None or trace is None:
        return "a trace without id or timestamp"
    took = _seconds_ns(told.get("latency"))
    if took is not None and not inner:
        batch.observed.append(_step(told, trace, started, started + took, where))
    return next((problem for problem in problems if problem), None) if len(problems) == 1 else None


def _step(told: JsonObject, trace: str, started: int, ended: int, environment: str | None) -> Observed:
    amount = as_usd(told.get("total_cost"))
    return Observed(
        trace=trace,
        span=f"trace-{trace}",
        parent=None,
        kind=STEP,
        name=as_word(told.get("name")) or "trace",
        started_ns=started,
        ended_ns=ended,
        told_usd=format(amount, "f") if amount else None,
        environment=environment,
        tags=_tags(told),
    )


def _observation(told: JsonObject, batch: Batch, environment: str | None) -> str | None:
    started, ended = nanoseconds(told.get("start_time")), nanoseconds(told.get("end_time"))
    own, trace = as_word(told.get("id")), as_word(told.get("trace_id"))
    if started is None or own is None:
        return "an observation without id or startTime"
    kind = _KINDS.get(str(told.get("type")).upper(), STEP)
    failed = told.get("level") == "ERROR"
    message = as_word(told.get("status_message")) if failed else None
    name = as_word(told.get("name")) or kind
    common: dict[str, Any] = {
        "trace": trace or own,
        "span": own,
        "parent": as_word(told.get("parent_observation_id")),
        "kind": kind,
        "name": name,
        "started_ns": started,
        "ended_ns": ended if ended is not None and ended >= started else None,
        "role": role_name(name),
        "status": "error" if failed else None,
        "error_kind": error_kind(message or "", None) if failed else None,
        "error_message": message,
        "environment": environment_name(as_word(told.get("environment"))) or environment,
        "tags": _tags(told),
    }
    if kind == CALL:
        common |= _call(told, batch, started, failed=failed)
    batch.observed.append(Observed(**common))
    return None


def _call(told: JsonObject, batch: Batch, started: int, *, failed: bool) -> dict[str, Any]:
    model = as_word(told.get("model")) or "unknown"
    metadata = object_in(told.get("metadata"))
    provider = as_word(metadata.get("ls_provider")) or as_word(
        object_in(metadata.get("attributes")).get("gen_ai.system")
    )
    counted = _counted(told, failed=failed)
    cost = as_usd(told.get("total_cost"))
    if cost is None and told.get("total_cost") is not None:
        batch.cannot_read("cost_usd")
    first = nanoseconds(told.get("completion_start_time"))
    ttft = (first - started) / 1e6 if first is not None and first >= started else None
    return {
        "provider": provider_name(provider) if provider else provider_of_model(model),
        "model": model,
        "ttft_ms": ttft,
        **token_fields(counted.usage),
        "told_usd": format(cost, "f") if cost else None,  # 0 is what is written for no price, too
        "remark": "; ".join(counted.remarks) or None,
    }


def _counted(told: JsonObject, *, failed: bool) -> Counted:
    usage = object_in(told.get("usage_details")) or object_in(told.get("usage"))
    counts = {key: count for key, item in usage.items() if (count := as_count_or_none(item)) is not None}
    total, output = counts.get("input"), counts.get("output")
    if total is None or output is None or (not total and not output):
        return Counted()
    read, written = (max((counts.get(key, 0) for key in keys), default=0) for keys in (_READ, _WRITTEN))
    reasoning = max((counts.get(key, 0) for key in _REASONING), default=0)
    inside = counts.get("total") == total + output and (read + written <= total)
    if not inside:
        total, output = total + read + written, output + reasoning
    return normalised(
        input_tokens=total,
        output_tokens=output,
        read=read,
        written_5m=written,
        reasoning=reasoning,
        free_input=failed,
        free_output=failed,
    )


def _score(told: JsonObject) -> Scored:
    value, kind = told.get("value"), str(told.get("data_type") or "NUMERIC").upper()
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(value, bool):
        number = float(value)
    usable = number is not None and kind != "CATEGORICAL" and 0 <= number <= 1
    passed = number == 1 if kind == "BOOLEAN" and usable else None
    detail = {
        name: told.get(name)
        for name in ("value", "data_type", "string_value", "source", "comment")
        if told.get(name) is not None
    }
    grader = as_word(told.get("name")) or "score"
    return Scored(
        str(told.get("trace_id"))[:128],
        grader,
        number if usable else None,
        passed,
        dump_json(detail).decode(),
    )


def _seconds_ns(value: Any) -> int | None:
    """Langfuse writes latencies in seconds."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e7
    return round(value * 1e9) if fits else None


def _tags(told: JsonObject) -> str | None:
    found: dict[str, Any] = {name: told.get(name) for name in ("release", "version")}
    return labelled(found, [label for label in as_list(told.get("tags")) if isinstance(label, str)])
