"""Goodput and token rates by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from harness.analysis.goodput import Objectives, decode_tokens_per_s, goodput, output_tokens_per_s
from harness.records import Request, RequestStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(seq, latency_ms, *, status=RequestStatus.OK, **fields):
    return Request(
        run_id="r",
        request_id=f"r-{seq}",
        seq=seq,
        status=status,
        scheduled_at=START + timedelta(seconds=seq),
        latency_ms=latency_ms,
        **fields,
    )


def test_goodput_counts_what_is_inside_every_objective():
    rows = [
        row(0, 900.0, ttft_ms=100.0, itl_ms=10.0),
        row(1, 900.0, ttft_ms=300.0, itl_ms=10.0),  # first token too late
        row(2, 900.0, ttft_ms=100.0),  # no gap known: not shown to be inside
        row(3, 900.0, ttft_ms=100.0, itl_ms=10.0, status=RequestStatus.ERROR),
        row(4, 1100.0, ttft_ms=100.0, itl_ms=10.0),  # too slow as a whole
        row(5, 900.0, ttft_ms=1.0, itl_ms=1.0, warmup=True),
    ]
    found = goodput(rows, Objectives(latency_ms=1000, ttft_ms=200, itl_ms=20))
    assert (found.value, found.n) == (0.2, 5)
    assert goodput(rows, Objectives()).value == 0.8
    assert goodput([], Objectives()).value is None


def test_token_rates():
    rows = [
        row(0, 1000.0, draft_output_tokens=100, itl_ms=10.0),
        row(1, 3000.0, draft_output_tokens=60, itl_ms=20.0),
    ]
    assert output_tokens_per_s(rows) == pytest.approx(160 / 4)
    assert decode_tokens_per_s(rows) == pytest.approx(1000 / 15)
    assert output_tokens_per_s([row(0, 5.0)]) is None
    assert decode_tokens_per_s([]) is None
