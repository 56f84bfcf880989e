"""Any JSON, CSV or Parquet row as an observation: which of its values is which column, and in which unit.

request_id=trace.id        a path: keys with dots between, or one key that has dots itself
latency_ms=dur_s*1000      times or divided by a number
tag.team=labels.team       a tag
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.imports.observed import AGENT, CALL, Batch, JsonObject, Observed, token_fields
from harness.imports.tags import flat
from harness.imports.times import nanoseconds
from harness.imports.words import error_kind, provider_name, provider_of_model, role_name, status_in
from harness.providers.reading.counts import Counted, normalised
from harness.providers.reading.values import MOST_TOKENS, as_usd, as_word
from harness.records import dump_json, environment_name

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "request_id": ("request_id", "requestId", "trace_id", "traceId", "correlation_id", "x_request_id", "id"),
    "ts": ("ts", "timestamp", "time", "@timestamp", "ended_at", "endTime", "end_time", "created_at"),
    "started_at": ("started_at", "startTime", "start_time", "start"),
    "latency_ms": ("latency_ms", "latencyMs", "duration_ms", "durationMs", "elapsed_ms", "responseTime"),
    "ttft_ms": ("ttft_ms", "ttftMs", "time_to_first_token_ms", "first_token_ms"),
    "provider": ("provider", "provider_name", "custom_llm_provider", "draft_source", "llm_provider"),
    "model": ("model", "model_name", "modelName", "model_id", "modelId", "draft_model"),
    "served_model": ("served_model", "response_model", "responseModel"),
    "input_tokens": ("input_tokens", "inputTokens", "prompt_tokens", "promptTokens", "tokens_in"),
    "cache_read_tokens": ("cache_read_tokens", "cached_tokens", "cachedTokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cache_write_tokens", "cache_creation_input_tokens", "cacheWriteTokens"),
    "output_tokens": ("output_tokens", "outputTokens", "completion_tokens", "completionTokens", "tokens_out"),
    "reasoning_tokens": ("reasoning_tokens", "reasoningTokens"),
    "cost_usd": ("cost_usd", "costUsd", "cost", "spend_usd", "total_cost_usd"),
    "status": ("status", "outcome"),
    "http_status": ("http_status", "httpStatus", "status_code", "statusCode"),
    "error_kind": ("error_kind", "error_type", "errorType", "error_code", "errorCode"),
    "error_message": ("error_message", "errorMessage", "error"),
    "environment": ("environment", "env"),
    "role": ("role", "operation", "call_type"),
    "provider_request_id": ("provider_request_id", "response_id", "responseId"),
    "finish_reason": ("finish_reason", "finishReason", "stop_reason"),
    "span_id": ("span_id", "spanId", "call_id"),
}
"""Our column -> the names it is suggested for; a latency without a unit in its name is never guessed."""

_TAG = "tag."
_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?"
_PART = re.compile(rf"^(?P<path>.+?)(?:\s*(?P<op>[*/])\s*(?P<number>{_NUMBER}))?$")
_OK_WORDS = frozenset({"ok", "success", "succeeded", "completed", "200", "true"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and what it is multiplied with."""

    path: str
    factor: float | None = None

    def value(self, row: JsonObject) -> Any:
        """The value in a row; None where there is none.

        Raises:
            ValueError: a factor, and no number to multiply.
        """
        found = row.get(self.path)
        if found is None and "." in self.path:
            found = _walked(row, self.path.split("."))
        if found is None or found == "" or self.factor is None:
            return None if found == "" else found
        return float(found) * self.factor


def _walked(row: Any, keys: list[str]) -> Any:
    for number, key in enumerate(keys):
        if isinstance(row, list) and key.isdigit():
            row = row[int(key)] if int(key) < len(row) else None
        elif isinstance(row, Mapping):
            rest = ".".join(keys[number:])
            if rest in row:
                return row[rest]
            row = row.get(key)
        else:
            return None
    return row


def parsed_map(texts: Iterable[str]) -> dict[str, Place]:
    """Column -> place, of `ours=theirs` each.

    Raises:
        UsageError: one of them is none.
    """
    found: dict[str, Place] = {}
    for text in texts:
        ours, equals, theirs = text.partition("=")
        ours, part = ours.strip(), _PART.match(theirs.strip())
        if not equals or part is None or not (ours in COLUMNS or ours.startswith(_TAG)):
            raise UsageError(
                f"--map '{text[:80]}': expected OURS=THEIRS with OURS one of {', '.join(COLUMNS)}, tag.NAME"
            )
        factor = float(part["number"]) if part["op"] else None
        if part["op"] == "/" and factor == 0:
            raise UsageError(f"--map '{text[:80]}': divides by zero")
        found[ours] = Place(part["path"], 1 / factor if part["op"] == "/" and factor else factor)
    return found


def read_map(path: Path) -> list[str]:
    """The lines of a map file, `ours=theirs` each; blank ones and comments (`#`) left out.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the map cannot be read ({error})") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


class MappedReader:
    """A format's reader after a map.

    Args:
        places: column -> place.
    """

    NAME = "map"
    ABOUT = "rows of any shape, by a map"

    def __init__(self, places: Mapping[str, Place]) -> None:
        if not {"ts", "started_at"} & places.keys():
            raise UsageError("the map tells no time: add --map ts=... (the end) or --map started_at=...")
        self._places = places
        self._rows = 0

    def recognises(self, value: JsonObject) -> bool:  # noqa: ARG002 - a map takes any row
        """Any object."""
        return True

    def read(self, value: JsonObject, batch: Batch, environment: str | None) -> str | None:
        """Take one row in; see `formats.Reader`."""
        self._rows += 1
        told = _Told(value, self._places, batch)
        latency_ms = told.number("latency_ms", 1e10)
        started, ended = told.moment("started_at"), told.moment("ts")
        if started is None and ended is not None:
            started = ended - round((latency_ms or 0) * 1e6)
        if started is None or started <= 0:
            return f"no readable time at '{(self._places.get('ts') or self._places['started_at']).path}'"
        if latency_ms is not None:
            ended = started + round(latency_ms * 1e6)
        elif "started_at" not in self._places:
            ended = None
        batch.observed.append(self._observed(told, started, ended, environment))
        return None

    def _observed(
        self,
        told: "_Told",
        started: int,
        ended: int | None,
        environment: str | None,
    ) -> Observed:
        model, provider = told.word("model"), told.word("provider")
        http_status = status_in(told.get("http_status"))
        failed, problem = _failure(told, http_status)
        usage = _counted(told, failed=failed).usage
        cost = told.get("cost_usd")
        amount = None if cost is None else as_usd(round(cost, 12) if isinstance(cost, float) else cost)
        if cost is not None and amount is None:
            told.cannot_read("cost_usd")
        tags = told.tags()
        own = told.word("span_id")
        trace = told.word("request_id") or f"row-{started}-{self._rows}"
        return Observed(
            trace=trace,
            span=own or f"{started}-{model or ''}",
            parent=None,
            kind=CALL if model else AGENT,
            name="row",
            started_ns=started,
            ended_ns=ended if ended is not None and ended >= started else None,
            role=role_name(told.word("role") or ""),
            status="error" if failed else "ok",
            error_kind=problem,
            error_message=told.word("error_message") if failed else None,
            http_status=http_status,
            provider=(provider_name(provider) if provider else provider_of_model(model)) if model else None,
            model=model,
            served_model=told.word("served_model"),
            provider_request_id=told.word("provider_request_id"),
            finish_reason=told.word("finish_reason"),
            ttft_ms=told.number("ttft_ms", 1e10),
            **token_fields(usage),
            told_usd=None if amount is None else format(amount, "f"),
            environment=environment_name(told.word("environment")) or environment,
            tags=dump_json(tags).decode() if tags else None,
        )


@dataclass(slots=True)
class _Told:
    """One row's values by our names."""

    row: JsonObject
    places: Mapping[str, Place]
    batch: Batch

    def get(self, column: str) -> Any:
        place = self.places.get(column)
        if place is None:
            return None
        try:
            return place.value(self.row)
        except (TypeError, ValueError, OverflowError):
            self.cannot_read(column)
            return None

    def cannot_read(self, column: str) -> None:
        self.batch.cannot_read(column)

    def word(self, column: str) -> str | None:
        value = self.get(column)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        return as_word(value)

    def number(self, column: str, most: float) -> float | None:
        value = self.get(column)
        if value is None:
            return None
        try:
            number = float(value) if not isinstance(value, bool) else -1.0
        except (TypeError, ValueError, OverflowError):
            number = -1.0
        if 0 <= number <= most:
            return number
        self.cannot_read(column)
        return None

    def count(self, column: str) -> int | None:
        number = self.number(column, MOST_TOKENS)
        if number is None or number.is_integer():
            return None if number is None else int(number)
        self.cannot_read(column)
        return None

    def moment(self, column: str) -> int | None:
        value = self.get(column)
        found = None if value is None else nanoseconds(value)
        if value is not None and found is None:
            self.cannot_read(column)
        return found

    def tags(self) -> dict[str, str]:
        found = {}
        for column in self.places:
            if column.startswith(_TAG) and (word := self.word(column)):
                found[column.removeprefix(_TAG)] = word
        return flat(found)


def _counted(told: _Told, *, failed: bool) -> Counted:
    return normalised(
        input_tokens=told.count("input_tokens"),
        output_tokens=told.count("output_tokens"),
        read=told.count("cache_read_tokens") or 0,
        written_5m=told.count("cache_write_tokens") or 0,
        reasoning=told.count("reasoning_tokens") or 0,
        free_input=failed,
        free_output=failed,
    )


def _failure(told: _Told, http_status: int | None) -> tuple[bool, str | None]:
    word = told.word("status")
    kind = told.word("error_kind")
    if word is None and http_status is None:
        failed = kind is not None or told.word("error_message") is not None
    elif word is not None and word.lower() not in _OK_WORDS:
        failed = True
    else:
        failed = http_status is not None and http_status >= 400
    return failed, error_kind(
        (kind or told.word("error_message") or word or "")[:200], http_status
    ) if failed else None
