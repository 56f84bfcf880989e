"""Goodput and token rates by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from harness.figures import Rows, Selection, figure_named, measure_all
from harness.figures.goodput import Objectives, goodput
from harness.records import LatencySource, Request, RequestStatus
from tests.judged_rows import view_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def row(seq, latency_ms, *, status=RequestStatus.OK, **fields):
    return Request(
        run_id="run-1",
        request_id=f"r-{seq}",
        seq=seq,
        status=status,
        scheduled_at=START + timedelta(seconds=seq),
        latency_ms=latency_ms,
        latency_source=LatencySource.CLIENT,
        **fields,
    )


def found(rows, figure):
    return measure_all(Rows(view_of(rows), Selection()), [figure]).get(figure.name)


def test_goodput_counts_what_is_inside_every_objective():
    rows = [
        row(0, 900.0, ttft_ms=100.0, itl_ms=10.0),
        row(1, 900.0, ttft_ms=300.0, itl_ms=10.0),  # first token too late
        row(2, 900.0, ttft_ms=100.0),  # no gap known: not shown to be inside
        row(3, 900.0, ttft_ms=100.0, itl_ms=10.0, status=RequestStatus.ERROR),
        row(4, 1100.0, ttft_ms=100.0, itl_ms=10.0),  # too slow as a whole
        row(5, 900.0, ttft_ms=1.0, itl_ms=1.0, warmup=True),
    ]
    share = found(rows, goodput(Objectives(latency_ms=1000, ttft_ms=200, itl_ms=20)))
    assert (share.value, share.n) == (0.2, 5)
    assert found(rows, goodput(Objectives())).value == 0.8
    assert found([], goodput(Objectives())) is None
    assert goodput(Objectives(latency_ms=8000)).title == "goodput within latency 8000 ms"


def test_token_rates():
    output, decode = figure_named("output_tokens_per_s"), figure_named("decode_tokens_per_s")
    rows = [
        row(0, 1000.0, draft_output_tokens=100, itl_ms=10.0),
        row(1, 3000.0, draft_output_tokens=60, itl_ms=20.0),
    ]
    assert found(rows, output).value == pytest.approx(160 / 4)
    assert found(rows, decode).value == pytest.approx(1000 / 15)
    assert found([row(0, 5.0)], output).value is None
    assert found([row(0, 5.0)], decode).value is None
