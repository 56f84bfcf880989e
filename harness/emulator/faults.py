"""Faults on demand: which there are, when they strike, and what they carry."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.emulator.draws import Draws
from harness.errors import ConfigError
from harness.inputs import LARGEST_SETTINGS_BYTES, first_problem, parse_json, read_bytes


class FaultKind(StrEnum):
    """What can go wrong. The first six answer at once; the others spoil an answer or its delivery.

    `expired` strikes items of batches only: they are not answered in time.
    """

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    RESET = "reset"
    SLOW_FIRST_BYTE = "slow_first_byte"
    STALL = "stall"
    CUT = "cut"
    STREAM_ERROR = "stream_error"
    MALFORMED_BODY = "malformed_body"
    MALFORMED_JSON = "malformed_json"
    WRONG_SCHEMA = "wrong_schema"
    EMPTY = "empty"
    REFUSAL = "refusal"
    CONTENT_FILTER = "content_filter"
    TRUNCATED = "truncated"
    EXPIRED = "expired"


ALIASES = {
    "429": FaultKind.RATE_LIMITED,
    "529": FaultKind.OVERLOADED,
    "500": FaultKind.SERVER_ERROR,
    "503": FaultKind.UNAVAILABLE,
    "504": FaultKind.GATEWAY_TIMEOUT,
    "malformed": FaultKind.MALFORMED_JSON,
}
STATUS = {
    FaultKind.RATE_LIMITED: 429,
    FaultKind.OVERLOADED: 529,
    FaultKind.SERVER_ERROR: 500,
    FaultKind.UNAVAILABLE: 503,
    FaultKind.GATEWAY_TIMEOUT: 504,
}
"""The faults that are an error status and nothing else."""
SPOILING = frozenset(
    {
        FaultKind.MALFORMED_JSON,
        FaultKind.WRONG_SCHEMA,
        FaultKind.EMPTY,
        FaultKind.REFUSAL,
        FaultKind.CONTENT_FILTER,
        FaultKind.TRUNCATED,
    }
)
"""The faults of what the model says; the others are faults of its delivery."""


class FaultRule(BaseModel):
    """When one fault strikes, and how.

    Attributes:
        kind: a `FaultKind` value.
        rate: share of matching requests, 0..1, drawn by body and occurrence.
        model: a shell pattern over model ids.
        first: only the first so many occurrences of each body fail, so that a retry succeeds; None for all.
        retry_after_ms: sent with 429, 503 and 529; None sends no header.
        delay_ms: of `slow_first_byte` and `stall`, in real milliseconds, whatever the speed.
        after_share: share of the answer delivered before `cut`, `stall` and `stream_error`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    kind: Annotated[FaultKind, Field(strict=False)]
    rate: float = Field(default=1.0, ge=0, le=1)
    model: str = "*"
    first: int | None = Field(default=None, ge=1)
    retry_after_ms: float | None = Field(default=1000, ge=0)
    delay_ms: float = Field(default=30_000, ge=0)
    after_share: float = Field(default=0.5, ge=0, le=1)


@dataclass(slots=True)
class FaultPlan:
    """The rules in force; the first that strikes wins."""

    rules: tuple[FaultRule, ...] = ()

    def strike(self, *, model: str, occurrence: int, draws: Draws) -> FaultRule | None:
        """The fault of this request, or None; the same for the same body and occurrence."""
        for index, rule in enumerate(self.rules):
            if not fnmatchcase(model, rule.model) or (rule.first is not None and occurrence > rule.first):
                continue
            if draws.uniform(f"fault {index} {rule.kind}") < rule.rate:
                return rule
        return None


def rules_from(value: Any, source: str) -> tuple[FaultRule, ...]:
    """Rules from JSON: one rule, a list of rules, or `{"faults": [...]}`.

    Raises:
        ConfigError: names the source and what is wrong.
    """
    if isinstance(value, dict) and "faults" in value:
        if len(value) > 1:
            raise ConfigError(source, "'faults' stands alone: there is no other key beside it")
        value = value["faults"]
    rows = value if isinstance(value, list) else [value]
    try:
        return tuple(FaultRule.model_validate(_without_alias(row)) for row in rows)
    except ValidationError as error:
        raise ConfigError(source, first_problem(error)) from error


def load_rules(text: str) -> tuple[FaultRule, ...]:
    """Rules from a file's path, or from JSON typed on the command line."""
    inline = text.lstrip().startswith(("{", "["))
    source = "--faults" if inline else text
    data = (
        text.encode("utf-8", "surrogateescape") if inline else read_bytes(Path(text), LARGEST_SETTINGS_BYTES)
    )
    return rules_from(parse_json(data, source), source)


def rule_from_header(text: str) -> FaultRule:
    """The rule of an `X-Emulate-Fault` header: `kind` or `kind;delay_ms=500;first=1`."""
    kind, *rest = (part.strip() for part in text.split(";"))
    fields: dict[str, Any] = {"kind": kind}
    for part in _non_empty(rest):
        name, _, value = part.partition("=")
        fields[name.strip()] = value.strip() if name.strip() == "model" else _number(value.strip())
    return rules_from(fields, "X-Emulate-Fault")[0]


def _number(text: str) -> object:
    """A header's value as JSON would have it; what is no number stays text, which the rule refuses."""
    if text == "none":
        return None
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text


def _without_alias(row: Any) -> Any:
    if isinstance(row, dict) and str(row.get("kind")) in ALIASES:
        return {**row, "kind": ALIASES[str(row["kind"])]}
    return row


def _non_empty(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part]
