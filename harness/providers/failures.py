"""From what went wrong on the wire to an `ErrorKind`, and from a provider's words to a safe excerpt."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from harness.clock import Clock
from harness.records import ErrorKind

EXCERPT_CHARS = 200

_SECRET = re.compile(
    r"(?i)\b(?:sk|pk|gsk|key|xai|hf)[-_][\w*.-]{6,}|\bAIza[\w-]{10,}|\bbearer\s+\S+|\b[\w*+/=.-]{40,}"
)
_KIND_BY_STATUS: dict[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.AUTH,  # an account without credit: no retry helps
    403: ErrorKind.AUTH,
    408: ErrorKind.TIMEOUT,
    429: ErrorKind.RATE_LIMITED,
    504: ErrorKind.TIMEOUT,  # the provider's own deadline
    529: ErrorKind.OVERLOADED,
}
_KIND_BY_WORD: dict[str, ErrorKind] = {
    "overloaded_error": ErrorKind.OVERLOADED,
    "overloaded": ErrorKind.OVERLOADED,
    "engine_overloaded": ErrorKind.OVERLOADED,
    "rate_limit_error": ErrorKind.RATE_LIMITED,
    "rate_limit_exceeded": ErrorKind.RATE_LIMITED,
    "rate_limit": ErrorKind.RATE_LIMITED,
    "timeout_error": ErrorKind.TIMEOUT,
    "timeout": ErrorKind.TIMEOUT,
    "authentication_error": ErrorKind.AUTH,
    "permission_error": ErrorKind.AUTH,
    "billing_error": ErrorKind.AUTH,
    "insufficient_quota": ErrorKind.AUTH,  # comes as a 429, but waiting does not refill an account
    "invalid_api_key": ErrorKind.AUTH,
    "content_filter": ErrorKind.CONTENT_FILTER,
    "content_policy_violation": ErrorKind.CONTENT_FILTER,
    "invalid_request_error": ErrorKind.BAD_REQUEST,
    "not_found_error": ErrorKind.BAD_REQUEST,
    "request_too_large": ErrorKind.BAD_REQUEST,
    "context_length_exceeded": ErrorKind.BAD_REQUEST,
    "api_error": ErrorKind.UPSTREAM_5XX,
    "server_error": ErrorKind.UPSTREAM_5XX,
    "internal_server_error": ErrorKind.UPSTREAM_5XX,
    "service_unavailable": ErrorKind.UPSTREAM_5XX,
}
_DECISIVE = (ErrorKind.OVERLOADED, ErrorKind.CONTENT_FILTER)


def kind_of(status: int | None, body: object) -> ErrorKind:
    """The kind of a refusal or of an error event in a stream.

    A status of 400 and above decides, except where the body is more exact: overloaded, content filter, an
    exhausted quota. Below that (an error event inside a 200 stream) the body decides; an unknown word there
    is the provider's own failure.

    Args:
        status: HTTP status, or None when only the stream spoke.
        body: the decoded body or event.
    """
    said = [_KIND_BY_WORD[word] for word in _words(body) if word in _KIND_BY_WORD]
    if status is None or status < 300:
        return _kind_in_stream(body, said)
    if status < 400:
        return ErrorKind.BAD_REQUEST
    exact = next((kind for kind in said if kind in _DECISIVE), None)
    if exact is not None:
        return exact
    if "insufficient_quota" in _words(body):
        return ErrorKind.AUTH
    if "content filtering policy" in message_of(body).lower():
        return ErrorKind.CONTENT_FILTER
    by_class = ErrorKind.UPSTREAM_5XX if status >= 500 else ErrorKind.BAD_REQUEST
    return _KIND_BY_STATUS.get(status, by_class)


def _kind_in_stream(body: object, said: list[ErrorKind]) -> ErrorKind:
    """Gateways put a status where OpenAI puts a word; failing both, it is the provider's own failure."""
    statuses = [int(word) for word in _words(body) if word.isdigit() and 400 <= int(word) < 600]
    if statuses:
        return kind_of(statuses[0], None)
    return said[0] if said else ErrorKind.UPSTREAM_5XX


def _error_part(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, Mapping) else body


def _words(body: object) -> list[str]:
    """The machine-readable words of an error body, most specific first."""
    part = _error_part(body)
    return [str(part[key]).lower() for key in ("code", "type", "status") if part.get(key) is not None]


def message_of(body: object) -> str:
    """The provider's own sentence, unbounded and unredacted; empty when there is none."""
    if isinstance(body, str):
        return body
    message = _error_part(body).get("message")
    if message is None and isinstance(body, Mapping):
        message = body.get("error") if isinstance(body.get("error"), str) else body.get("detail")
    if isinstance(message, list):
        # A validator's list echoes the input, our prompt, beside each complaint: only those are kept.
        complaints = [item for item in message if isinstance(item, Mapping)]
        return "; ".join(f"{item.get('loc', '')}: {item.get('msg', '')}" for item in complaints)
    return "" if message is None else str(message)


def excerpt(text: str, secrets: tuple[str, ...] = (), *, limit: int = EXCERPT_CHARS) -> str:
    """One line of at most 200 characters, with keys and anything that looks like one masked.

    Args:
        text: what the provider said.
        secrets: values known to be secret.
        limit: another length than 200.
    """
    # Bound before the patterns run: a body may be megabytes. Twice over, so that a cut key is still masked.
    line = " ".join(text[: limit * 4].split())
    for secret in secrets:
        if secret:
            line = line.replace(secret, "[redacted]")
    line = _SECRET.sub("[redacted]", line)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def retry_after_ms_of(headers: Mapping[str, str], clock: Clock) -> float | None:
    """How long the provider asks to wait, milliseconds; None when it does not say, or not legibly.

    `retry-after-ms` wins over `retry-after`, which is seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    exact = _number(headers.get("retry-after-ms"))
    if exact is not None:
        return exact
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return seconds * 1000
    moment = _http_date(value)
    return None if moment is None else max(0.0, (moment - clock.now()).total_seconds() * 1000)


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", text):
        return None
    return float(text)


def _http_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def rate_limits_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The rate-limit headers of either provider, names in lower case."""
    marks = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit-")
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith(marks)}
