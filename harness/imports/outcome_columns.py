"""What a table of outcomes calls its columns, and one row of it as an outcome, or what is wrong with it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError, UsageError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "item": ("item", "item_id", "case_id", "question_id", "prompt_id", "sample_id", "id"),
    "model": ("model", "model_name", "model_id"),
    "provider": ("provider", "source"),
    "score": ("score", "correct", "is_correct", "passed", "accuracy"),
    "input_tokens": ("input_tokens", "prompt_tokens", "tokens_in"),
    "cache_read_tokens": ("cache_read_tokens", "cached_tokens"),
    "output_tokens": ("output_tokens", "completion_tokens", "tokens_out"),
    "latency_ms": ("latency_ms", "duration_ms"),
    "latency_s": ("latency_s", "duration_s"),
}
"""Our column -> the names it is found under without being told. A latency without a unit is never guessed."""

REQUIRED = ("item", "model", "score")
UNKNOWN_PROVIDER = "unknown"
_TRUE, _FALSE = {"true", "yes", "correct", "pass"}, {"false", "no", "incorrect", "wrong", "fail"}
_MOST_CHARS = 200
_MOST_TOKENS = 10**9
_MOST_LATENCY_MS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one model did with one item; None is unknown.

    Attributes:
        score: 0..1; 1 for correct. None leaves it ungraded.
        input_tokens: all of them, cached ones included.
    """

    item: str
    provider: str
    model: str
    score: float | None
    input_tokens: int | None
    cache_read_tokens: int | None
    output_tokens: int | None
    latency_ms: float | None


def chosen_columns(there: Iterable[str], told: Sequence[str], source: str) -> dict[str, str]:
    """Our column -> the table's.

    Args:
        there: the table's columns.
        told: `ours=theirs`, before what is found by name.
        source: what messages call the table.

    Raises:
        UsageError: a wrong `ours=theirs`.
        ConfigError: the table lacks a column that is told or needed.
    """
    names = list(there)
    columns: dict[str, str] = {}
    for text in told:
        ours, equals, theirs = text.partition("=")
        if not equals or ours not in ALIASES:
            known = ", ".join(ALIASES)
            raise UsageError(f"--column '{text[:80]}': expected OURS=THEIRS with OURS one of {known}")
        if theirs not in names:
            raise ConfigError(source, f"has no column '{theirs[:80]}'; it has {', '.join(names)[:200]}")
        columns[ours] = theirs
    for ours, aliases in ALIASES.items():
        found = next((name for alias in aliases for name in names if name.lower() == alias), None)
        if found is not None and ours not in columns and found not in columns.values():
            columns[ours] = found
    for ours in REQUIRED:
        if ours not in columns:
            raise ConfigError(source, f"has no column for '{ours}'; name it with --column {ours}=...")
    if "latency_ms" in columns and "latency_s" in columns:
        raise ConfigError(source, "has latency_ms and latency_s; name one with --column")
    return columns


def outcome(fields: Mapping[str, Any], columns: Mapping[str, str], provider: str | None) -> Outcome:
    """One row as an outcome.

    Args:
        fields: the row.
        columns: as `chosen_columns` gives them.
        provider: of rows that name none.

    Raises:
        ValueError: what is wrong with it, as a clause.
    """
    found = {ours: fields.get(theirs) for ours, theirs in columns.items()}
    told_provider, model = _provider_and_model(found, provider)
    latency_ms = _number(found, "latency_ms", _MOST_LATENCY_MS)
    if latency_ms is None and "latency_s" in found:
        seconds = _number(found, "latency_s", _MOST_LATENCY_MS / 1000)
        latency_ms = None if seconds is None else seconds * 1000
    cached, total = _count(found, "cache_read_tokens"), _count(found, "input_tokens")
    if cached is not None and (total is None or cached > total):
        raise ValueError("cache_read_tokens exceed input_tokens, which count all input")
    return Outcome(
        item=_text(found, "item"),
        provider=told_provider,
        model=model,
        score=_score(found["score"]),
        input_tokens=total,
        cache_read_tokens=cached,
        output_tokens=_count(found, "output_tokens"),
        latency_ms=latency_ms,
    )


def _provider_and_model(found: Mapping[str, Any], default: str | None) -> tuple[str, str]:
    """Told apart where the model is written `provider/model`; else the default, else unknown."""
    model = _text(found, "model")
    if not _empty(found.get("provider")):
        return _text(found, "provider"), model
    if default is not None:
        return default, model
    provider, slash, rest = model.partition("/")
    return (provider, rest) if slash and provider and rest else (UNKNOWN_PROVIDER, model)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found[name]
    if _empty(value):
        raise ValueError(f"{name} is empty")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{name} is not text")  # noqa: TRY004 - a bad row, like any other
    text = str(value).strip()
    if len(text) > _MOST_CHARS or not text.isprintable():
        raise ValueError(f"{name} is longer than {_MOST_CHARS} characters, or not printable")
    return text


def _score(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and value.strip().lower() in _TRUE | _FALSE:
        return float(value.strip().lower() in _TRUE)
    return _number({"score": value}, "score", 1)


def _count(found: Mapping[str, Any], name: str) -> int | None:
    value = _number(found, name, _MOST_TOKENS)
    if value is not None and not value.is_integer():
        raise ValueError(f"{name} is not a whole number")
    return None if value is None else int(value)


def _number(found: Mapping[str, Any], name: str, most: float) -> float | None:
    """0 to `most`; None for an empty cell or NaN, which is how tables write unknown."""
    value = found.get(name)
    if _empty(value):
        return None
    if isinstance(value, bool):
        raise ValueError(f"{name} is not a number")  # noqa: TRY004 - a bad row, like any other
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever the cell holds; what is no number is refused
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name} is not a number") from error
    if math.isnan(number):
        return None
    if not 0 <= number <= most:
        raise ValueError(f"{name} is not between 0 and {most:g}")
    return number


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
