"""Telemetry from anywhere: good values arrive exactly, broken ones leave None and are noticed."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.answer import Answer, judge_status
from harness.load.told import server_timing, telemetry_fields
from harness.records import ErrorKind, RequestStatus, Tier

EVENT = {
    "event": "assist.draft.completed",
    "request_id": "r-1",
    "draft_source": "anthropic",
    "latency_ms": 120.5,
    "quality_tier": "high",
    "draft_input_tokens": 12,
    "stages_ms": {"draft": 100.25},
}


def told(**changes):
    text = json.dumps({**EVENT, **changes})
    return telemetry_fields(text.replace('"MONEY"', "0.0288600000"), "r-1")


def test_event_becomes_columns():
    fields, broken = told(cost_usd="MONEY")
    assert not broken
    assert fields["cost_usd"] == Decimal("0.02886")
    assert fields["quality_tier"] is Tier.HIGH
    assert fields["server_ms"] == 120.5
    assert fields["draft_input_tokens"] == 12
    assert fields["stages_ms"] == {"draft": 100.25}
    assert fields["unpriced"] is False


def test_unknown_cost_is_none_and_said():
    fields, broken = told(cost_usd=None)
    assert not broken
    assert "cost_usd" not in fields
    assert fields["unpriced"] is True


def test_broken_values_are_dropped_and_noticed():
    lies = {
        "draft_input_tokens": -1,
        "draft_output_tokens": 10**30,
        "quality_tier": "splendid",
        "cost_usd": "0.1",
        "stages_ms": {"draft": "long"},
        "confidence": 7,
        "mixed_providers": 1,
        "latency_ms": True,
    }
    for name, value in lies.items():
        fields, broken = told(**{name: value})
        assert broken, name
        assert "server_ms" not in fields if name == "latency_ms" else name not in fields


def test_event_of_another_request_is_not_believed():
    assert told(request_id="r-2") == ({}, True)


@given(st.text(max_size=300))
def test_no_header_breaks_the_reader(text):
    fields, broken = telemetry_fields(text, "r-1")
    assert broken
    assert fields == {}
    server_timing(text)


@given(
    st.dictionaries(
        st.sampled_from([*EVENT, "cost_usd", "confidence"]), st.none() | st.integers() | st.text()
    )
)
def test_no_value_breaks_the_reader(changes):
    telemetry_fields(json.dumps({**EVENT, **changes}), "r-1")


def test_server_timing():
    assert server_timing('draft;dur=12.5, validate;desc="x";dur=0.25, miss, total;dur="3"') == {
        "draft": 12.5,
        "validate": 0.25,
        "total": 3.0,
    }
    assert server_timing("") == {}
    assert server_timing("a;dur=1.2.3") == {}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b'{"schema":"error.v1","code":"UPSTREAM","details":{"error_kind":"auth"}}', ErrorKind.AUTH),
        (502, b'{"details":{"error_kind":["auth"]}}', ErrorKind.UPSTREAM_5XX),
        (503, b"<html>busy</html>", ErrorKind.OVERLOADED),
        (404, b'{"details":{"error_kind":"made up"}}', ErrorKind.BAD_REQUEST),
    ],
)
def test_a_failed_answer_is_filed_under_the_kind_that_the_target_tells(
    status: int, body: bytes, kind: ErrorKind
) -> None:
    answer = Answer()
    judge_status(answer, status, body)
    assert (answer.status, answer.error_kind) == (RequestStatus.ERROR, kind)
