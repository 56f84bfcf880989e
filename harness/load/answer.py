"""What one exchange came to, before it is a row."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from harness.records import ErrorKind, RequestStatus

MAX_EXCERPT_CHARS = 300


@dataclass(slots=True)
class Answer:
    """One request's outcome, as the exchange saw it. Times are integer nanoseconds.

    Attributes:
        status: how it ended; anything but ok counts as over every latency limit.
        http_status: None when no answer came.
        error_kind: why it failed.
        error_text: what the target said, unbounded and unredacted: the recorder bounds it.
        first_byte_ns: when the head of the (last) answer had arrived, on the monotonic clock.
        first_token_ns: when the first token of any kind (thinking, audio, a call) arrived, on the monotonic
            clock; for the service's own stream, the first event.
        first_answer_ns: when the first piece of the answer's text arrived.
        last_token_ns: when the last token of any kind arrived.
        done_ns: when the (last) answer had been read to its end, before anything was worked out of it.
        chunks: pieces of the answer that were timed; each may hold several tokens.
        tokens: tokens that these pieces held; None where nobody told.
        text: the answer itself, for whoever grades it.
        columns: further columns of the row (cost, tier, tokens, stages).
        telemetry_broken: telemetry came and could not be read.
        telemetry_missing: telemetry was asked for and did not come.
        size: bytes of the body.
        step: of a journey, the one that is under way.
    """

    status: RequestStatus = RequestStatus.OK
    http_status: int | None = None
    error_kind: ErrorKind | None = None
    error_text: str | None = None
    first_byte_ns: int | None = None
    first_token_ns: int | None = None
    first_answer_ns: int | None = None
    last_token_ns: int | None = None
    done_ns: int | None = None
    chunks: int = 0
    tokens: int | None = None
    text: str | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    telemetry_broken: bool = False
    telemetry_missing: bool = False
    size: int = 0
    step: str | None = None

    def hear(self, arrived_ns: int, *, is_answer: bool) -> None:
        """A piece with tokens arrived."""
        if self.first_token_ns is None:
            self.first_token_ns = arrived_ns
        if is_answer and self.first_answer_ns is None:
            self.first_answer_ns = arrived_ns
        self.last_token_ns = arrived_ns
        self.chunks += 1

    def fail(self, kind: ErrorKind, text: str, *, status: RequestStatus = RequestStatus.ERROR) -> None:
        """Mark the request as failed; the first failure is the one that is kept."""
        if self.status is RequestStatus.OK:
            self.status = status
            self.error_kind = kind
            self.error_text = text


_KIND_BY_STATUS = {
    401: ErrorKind.AUTH,
    403: ErrorKind.AUTH,
    408: ErrorKind.TIMEOUT,
    503: ErrorKind.OVERLOADED,
    504: ErrorKind.TIMEOUT,
    529: ErrorKind.OVERLOADED,
}


def judge_status(answer: Answer, http_status: int, body: bytes) -> None:
    """Turn an HTTP status into an outcome; 2xx stays as it is, 429 is a rejection."""
    answer.http_status = http_status
    if 200 <= http_status < 300:
        return
    text = body[:4096].decode(errors="replace")
    if http_status == 429:
        guard = '"cost_guard"' in text
        kind = ErrorKind.COST_GUARD if guard else ErrorKind.RATE_LIMITED
        answer.fail(kind, text, status=RequestStatus.REJECTED)
        return
    fallback = ErrorKind.UPSTREAM_5XX if http_status >= 500 else ErrorKind.BAD_REQUEST
    answer.fail(told_kind(body) or _KIND_BY_STATUS.get(http_status, fallback), text)


def told_kind(body: bytes) -> ErrorKind | None:
    """Why the target says it failed (`details.error_kind` of an `error.v1`); None when it does not say."""
    try:
        fields: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    details = fields.get("details") if isinstance(fields, dict) else None
    told = details.get("error_kind") if isinstance(details, dict) else None
    return ErrorKind(told) if isinstance(told, str) and told in set(ErrorKind) else None


_KINDS_BY_CODE = {"BAD_INPUT": ErrorKind.BAD_REQUEST, "INTERNAL": ErrorKind.UPSTREAM_5XX}


def error_within(fields: object) -> object | None:
    """The `error.v1` that an ordinary event carries: the last stage's payload may be one, at status 200."""
    if not isinstance(fields, dict):
        return None
    inner = fields.get("payload", fields)
    return inner if isinstance(inner, dict) and inner.get("schema") == "error.v1" else None


def fail_by_event(answer: Answer, data: bytes) -> None:
    """Turn an error event of a stream (`error.v1`, or any other) into an outcome."""
    text = data[:4096].decode(errors="replace")
    try:
        fields: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        fields = {}
    code = fields.get("code") if isinstance(fields, dict) else None
    if code == "RATE_LIMITED":
        kind = ErrorKind.COST_GUARD if '"cost_guard"' in text else ErrorKind.RATE_LIMITED
        answer.fail(kind, text, status=RequestStatus.REJECTED)
        return
    answer.fail(told_kind(data) or _KINDS_BY_CODE.get(str(code), ErrorKind.UPSTREAM_5XX), text)
