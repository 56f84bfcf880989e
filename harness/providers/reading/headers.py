"""What response headers tell: the provider's id for the call, its bill, its limits, the wait it asks for."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

from harness.clock import Clock
from harness.providers.reading.values import as_usd, as_word

_REQUEST_IDS = (
    "request-id",
    "x-request-id",
    "mistral-correlation-id",
    "inference-id",
    "x-inference-id",
    "x-ds-trace-id",
    "x-generation-id",
    "apim-request-id",
    "x-litellm-call-id",
    "x-amzn-requestid",
    "x-debug-trace-id",
    "x-trace-id",
    "nvcf-reqid",
    "x-snowflake-request-id",
    "cf-ray",
)
"""The most telling first; a proxy's own id last."""
_LIMIT_MARKS = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit")
_NUMBER = re.compile(r"\s*\d{1,9}(\.\d+)?\s*", re.ASCII)


def plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as a plain dict, names in lower case: an HTTP client's own mapping decodes at every look."""
    raw = getattr(headers, "raw", None)
    if raw is None:
        return {name.lower(): value for name, value in headers.items()}
    return {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in raw}


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The provider's own id for the call, for its support; None when it gave none."""
    return next((word for name in _REQUEST_IDS if (word := as_word(headers.get(name)))), None)


def request_id_header(headers: Mapping[str, str]) -> str | None:
    """The name of the header that `request_id_of` reads; None when there is none."""
    return next((name for name in _REQUEST_IDS if as_word(headers.get(name))), None)


def own_cost_usd_of(headers: Mapping[str, str]) -> Decimal | None:
    """What a gateway says the call cost, US dollars; LiteLLM writes 0 for models it cannot price: untold."""
    return as_usd(headers.get("x-litellm-response-cost")) or None


def rate_limits_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The rate-limit headers of any provider, out of plain ones."""
    return {name: value for name, value in headers.items() if name.startswith(_LIMIT_MARKS)}


def retry_after_ms_of(headers: Mapping[str, str], clock: Clock) -> float | None:
    """How long a refusing answer asks to wait, milliseconds; None when it does not say, or not legibly.

    `retry-after-ms`, or AWS's `x-amz-retry-after`, wins over `retry-after`, which is seconds or an HTTP date
    (RFC 9110, section 10.2.3).
    On a success the header is no request to wait (Anthropic and Hugging Face send it with an allowance left),
    so only refusals may ask here.
    """
    exact = _number(headers.get("retry-after-ms") or headers.get("x-amz-retry-after"))
    if exact is not None:
        return exact
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None:
        return seconds * 1000
    moment = _http_date(value)
    return None if moment is None else max(0.0, (moment - clock.now()).total_seconds() * 1000)


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def _http_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
