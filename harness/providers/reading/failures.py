"""From what went wrong on the wire to an `ErrorKind`."""

import re
from typing import Any

from harness.providers.reading.excerpts import error_part, message_of
from harness.records import ErrorKind

_KIND_BY_STATUS: dict[int, ErrorKind] = {
    401: ErrorKind.AUTH,
    402: ErrorKind.AUTH,  # an account without credit: no retry helps
    403: ErrorKind.AUTH,
    408: ErrorKind.TIMEOUT,
    424: ErrorKind.UPSTREAM_5XX,  # Bedrock: the model behind it failed
    429: ErrorKind.RATE_LIMITED,
    498: ErrorKind.OVERLOADED,  # Groq: no capacity in the flex tier
    504: ErrorKind.TIMEOUT,  # the provider's own deadline
    524: ErrorKind.TIMEOUT,  # Cloudflare's, before the provider answered
    529: ErrorKind.OVERLOADED,
}
_WORDS: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.OVERLOADED: (
        "overloaded_error",
        "overloaded",
        "engine_overloaded",
        "engine_overloaded_error",
        "model_overloaded",
        "server_overloaded",
        "insufficient_system_resource",
        "modelnotreadyexception",
    ),
    ErrorKind.RATE_LIMITED: (
        "rate_limit_error",
        "rate_limit_exceeded",
        "rate_limit_reached_error",
        "rate_limit",
        "rate_limited",
        "too_many_requests",
        "resource_exhausted",
        "throttlingexception",
        "servicequotaexceededexception",
    ),
    ErrorKind.TIMEOUT: ("timeout_error", "timeout", "deadline_exceeded", "modeltimeoutexception"),
    ErrorKind.AUTH: (
        "authentication_error",
        "permission_error",
        "permission_denied",
        "unauthenticated",
        "unauthorized",
        "billing_error",
        "insufficient_quota",  # comes as a 429, but waiting does not refill an account
        "insufficient_balance",
        "exceeded_current_quota_error",
        "billing_hard_limit_reached",
        "invalid_api_key",
        "invalid_authentication_error",
        "api_key_invalid",
        "expired_api_key",
        "accessdeniedexception",
        "expiredtokenexception",
        "invalidsignatureexception",
        "unrecognizedclientexception",
    ),
    ErrorKind.CONTENT_FILTER: (
        "content_filter",
        "content_filtered",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "data_inspection_failed",
        "prohibited_content",
        "invalid_prompt",  # the responses API: flagged by the usage policy
    ),
    ErrorKind.BAD_REQUEST: (
        "invalid_request_error",
        "invalid_argument",
        "not_found_error",
        "not_found",
        "failed_precondition",
        "request_too_large",
        "context_length_exceeded",
        "bad_request",
        "validation_error",
        "validationexception",
        "resourcenotfoundexception",
    ),
    ErrorKind.UPSTREAM_5XX: (
        "api_error",
        "server_error",
        "internal",
        "internal_error",
        "internal_server_error",
        "service_unavailable",
        "unavailable",
    ),
}
_KIND_BY_WORD = {word: kind for kind, words in _WORDS.items() for word in words}
_OVERLOADED = re.compile(r"\boverloaded\b", re.IGNORECASE)
"""Gemini's 503 says so in its sentence only."""
_DECISIVE = (ErrorKind.OVERLOADED, ErrorKind.CONTENT_FILTER)
_ACCOUNT_WORDS = frozenset(
    {
        "insufficient_quota",
        "insufficient_balance",
        "exceeded_current_quota_error",
        "billing_hard_limit_reached",
        "billing_error",
    }
)
_KEY_COMPLAINT = re.compile(
    r"(incorrect|invalid|wrong|expired|missing|no) api[ _-]?key"
    r"|api[ _-]?key (is )?(not valid|not found|invalid|incorrect|missing|expired)"
    r"|credit balance is too low",
    re.IGNORECASE,
)
_TELLING = ("code", "type", "status", "error_type", "status_code", "http_status_code", "statusCode")
_COMPLAINT_CHARS = 2000
_WORD_CHARS = 100


def kind_of(status: int | None, body: object) -> ErrorKind:
    """The kind of a refusal or of an error event in a stream.

    A status of 400 and above decides, except where the body is more exact: overloaded, content filter, an
    exhausted quota, a wrong key (a 400 at Gemini and x-ai). Below that (an error inside a 200) the body
    decides, its exact words before a status that it names; an unknown word there is the provider's own
    failure.

    Args:
        status: HTTP status, or None when only the stream spoke.
        body: the decoded body or event.
    """
    words = _words(body)
    said = [_KIND_BY_WORD[word] for word in words if word in _KIND_BY_WORD]
    exact = next((kind for kind in said if kind in _DECISIVE), None)
    if status is None or status < 300:
        told_status = next((int(word) for word in words if re.fullmatch(r"[45][0-9][0-9]", word)), None)
        if exact is None and told_status is not None:
            return kind_of(told_status, body)
        return exact or (said[0] if said else ErrorKind.UPSTREAM_5XX)
    if status < 400:
        return ErrorKind.BAD_REQUEST
    if exact is not None:
        return exact
    if _ACCOUNT_WORDS.intersection(words):
        return ErrorKind.AUTH
    by_class = _kind_of_5xx(body) if status >= 500 else ErrorKind.BAD_REQUEST
    kind = _KIND_BY_STATUS.get(status, by_class)
    return _kind_of_bad_request(body, said) if kind is ErrorKind.BAD_REQUEST else kind


def _kind_of_5xx(body: object) -> ErrorKind:
    overloaded = _OVERLOADED.search(message_of(body)[:_COMPLAINT_CHARS])
    return ErrorKind.OVERLOADED if overloaded else ErrorKind.UPSTREAM_5XX


def _kind_of_bad_request(body: object, said: list[ErrorKind]) -> ErrorKind:
    """What a refusal of our request is really about, where its body says so."""
    message = message_of(body)[:_COMPLAINT_CHARS]
    if ErrorKind.AUTH in said or _KEY_COMPLAINT.search(message):
        return ErrorKind.AUTH
    filtered = "content filtering policy" in message.lower()
    return ErrorKind.CONTENT_FILTER if filtered else ErrorKind.BAD_REQUEST


def _words(body: object) -> list[str]:
    """The machine-readable words of an error body, most specific first."""
    part = error_part(body)
    told = [part.get(key) for key in _TELLING]
    told += [item.get("reason") for item in _details(body)]
    inner = part.get("innererror")
    told += [inner.get("code")] if isinstance(inner, dict) else []
    return [str(word)[:_WORD_CHARS].lower() for word in told if isinstance(word, str | int)]


def _details(body: object) -> list[dict[str, Any]]:
    """Google's details of an error."""
    details = error_part(body).get("details")
    return [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []


def wait_ms_told(body: object) -> float | None:
    """The wait that an error's own words ask for (Google's `RetryInfo`), milliseconds; None for none."""
    for item in _details(body):
        if str(item.get("@type", "")).endswith("RetryInfo"):
            found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)s", str(item.get("retryDelay")), re.ASCII)
            return None if found is None else float(found.group(1)) * 1000
    return None
