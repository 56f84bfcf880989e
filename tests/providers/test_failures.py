from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.providers.reading.excerpts import EXCERPT_CHARS, excerpt, message_of
from harness.providers.reading.failures import kind_of
from harness.providers.reading.headers import retry_after_ms_of
from harness.records import ErrorKind


@dataclass(frozen=True)
class StoppedClock:
    moment: datetime = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

    def monotonic_ns(self) -> int:
        return 0

    def now(self) -> datetime:
        return self.moment


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2000.0),
        ({"retry-after": "0.5"}, 500.0),
        ({"retry-after": "2", "retry-after-ms": "150"}, 150.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:30 GMT"}, 30_000.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "", "retry-after-ms": ""}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_ms_of(headers, StoppedClock()) == expected


@given(st.text())
def test_no_retry_after_header_can_break_the_reading(value: str) -> None:
    waited = retry_after_ms_of({"retry-after": value}, StoppedClock())
    assert waited is None or waited >= 0


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-abcdefghijklmnop",
        "sk-proj-abcdefghijklmnopqrstu",
        "gsk_abcdefghijklmnop",
        "AIzaSyA-abcdefghijklmnopqrstuv",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXdoaWNoLWlzLWxvbmc",
        "sk-abc***************xyz",
    ],
)
def test_anything_like_a_key_is_masked(secret: str) -> None:
    shown = excerpt(f"Incorrect API key provided: {secret}.")
    assert "[redacted]" in shown
    assert secret[-6:] not in shown


@given(st.text(), st.text(min_size=8, alphabet="abcdef0123456789"), st.text())
def test_a_known_secret_never_shows(before: str, secret: str, after: str) -> None:
    shown = excerpt(f"{before}{secret}{after}", (secret,))
    assert secret not in shown
    assert len(shown) <= EXCERPT_CHARS
    assert "\n" not in shown


def test_a_secret_across_the_edge_of_what_is_shown_is_masked_as_well() -> None:
    secret = "canary-" + "7f" * 12
    for shift in range(EXCERPT_CHARS - 40, EXCERPT_CHARS + 10):
        assert "canary" not in excerpt("word " * 100, (secret,))
        assert "7f7f" not in excerpt(("w " * 200)[:shift] + secret + " tail" * 50, (secret,))


def test_an_error_in_a_stream_is_read_by_word_or_by_status() -> None:
    assert kind_of(None, {"error": {"type": "overloaded_error"}}) is ErrorKind.OVERLOADED
    assert kind_of(None, {"code": 429, "message": "slow down"}) is ErrorKind.RATE_LIMITED
    assert kind_of(None, {"code": "502"}) is ErrorKind.UPSTREAM_5XX
    assert kind_of(None, {"code": "content_filter"}) is ErrorKind.CONTENT_FILTER
    assert kind_of(None, None) is ErrorKind.UPSTREAM_5XX


def test_the_message_is_found_wherever_endpoints_put_it() -> None:
    assert message_of({"error": {"message": "a"}}) == "a"
    assert message_of({"error": "b"}) == "b"
    validator = [{"loc": ["body", "top_p"], "msg": "not permitted", "input": {"messages": "secret brief"}}]
    assert message_of({"detail": validator}) == "['body', 'top_p']: not permitted"
    assert message_of("c") == "c"
    assert message_of(None) == ""
