"""What every reader of other tools' telemetry gives: observations, whatever the format was.

An observation is a step, a call of a model, or a score, with the request that it belongs to. `requests_from`
makes requests and calls of them, in one place for all formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from harness.records import Usage

STEP, CALL, AGENT = "step", "call", "agent"
"""Something that took time; one call of a model; what sums up the calls within it."""


class Observed(NamedTuple):
    """One observation. None is unknown; times are integer nanoseconds since 1970.

    Attributes:
        trace: what its request is called: a trace id, a request id.
        span: its own id; unique within the trace.
        parent: the span that it happened in; None for the outermost.
        kind: STEP, CALL or AGENT.
        request_id: the id that the service itself gave the request, where one was told.
        role: draft, repair, suggest or judge, where its name or an attribute says so.
        status: ok or error; None where nothing was said.
        told_usd: the cost as it was told, in its own digits.
        remark: what was mended or left out to get at the tokens, or why they are unknown though told.
        tags: resource attributes, as JSON text.
    """

    trace: str
    span: str
    parent: str | None
    kind: str
    name: str
    started_ns: int
    ended_ns: int | None
    request_id: str | None = None
    role: str | None = None
    status: str | None = None
    error_kind: str | None = None
    error_message: str | None = None
    http_status: int | None = None
    provider: str | None = None
    model: str | None = None
    served_model: str | None = None
    provider_request_id: str | None = None
    finish_reason: str | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    context: str = "standard"
    told_usd: str | None = None
    remark: str | None = None
    environment: str | None = None
    tags: str | None = None


class Scored(NamedTuple):
    """A score that somebody gave a request; `score` is None where it is no number from 0 to 1."""

    trace: str
    grader: str
    score: float | None
    passed: bool | None
    detail: str


@dataclass(slots=True)
class Batch:
    """What some lines gave: observations, scores, and what was left aside, by its reason.

    Attributes:
        unreadable: column name -> values of it that could not be read; they are unknown.
    """

    observed: list[Observed] = field(default_factory=list)
    scored: list[Scored] = field(default_factory=list)
    unreadable: dict[str, int] = field(default_factory=dict)

    def cannot_read(self, column: str) -> None:
        """A value of a known column is none: unknown, and counted."""
        self.unreadable[column] = self.unreadable.get(column, 0) + 1


Tokens: TypeAlias = tuple[int | None, int | None, int | None, int | None, int | None, int | None]
NO_TOKENS: Tokens = (None,) * 6
TOKEN_FIELDS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def token_fields(usage: Usage | None) -> dict[str, Any]:
    """The token columns of a usage by name; unknown for none."""
    return dict(zip(TOKEN_FIELDS, tokens_of(usage), strict=True))


def tokens_of(usage: Usage | None) -> Tokens:
    """The token columns of a usage, in the order of `Observed`; unknown for none."""
    if usage is None:
        return NO_TOKENS
    return (
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
    )


JsonObject = Mapping[str, Any]
