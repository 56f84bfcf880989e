"""The ruler's truth and its arithmetic, by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from harness.load import calibration
from harness.load.known import MODERATE_POINTS, Stall, latency_ms, true_latency_ms
from harness.records import Request, RequestStatus

POINTS = ((0.0, 0.0), (0.5, 100.0), (1.0, 300.0))
S = 1_000_000_000
STALL = Stall(start_ns=10 * S, end_ns=20 * S)


def test_latency_follows_its_quantile_function():
    drawn = [latency_ms(f"r-{n}", POINTS) for n in range(20_000)]
    assert abs(np.quantile(drawn, 0.5) - 100) < 3
    assert abs(np.quantile(drawn, 0.75) - 200) < 5
    assert 0 <= min(drawn) < max(drawn) <= 300
    assert drawn[7] == latency_ms("r-7", POINTS)
    assert drawn[7] != latency_ms("r-7", POINTS, seed=1)


@pytest.mark.parametrize(
    ("arrival_s", "waits_ms"),
    [(1, 500), (9.9, 10_100), (10, 10_500), (19, 1500), (20, 500), (9.4, 500)],
)
def test_stall_by_hand(arrival_s, waits_ms):
    assert true_latency_ms(int(arrival_s * S), 500, STALL) == waits_ms


def rows_at(offsets_s, latencies):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Request(
            run_id="r",
            request_id=f"r-{n}",
            status=RequestStatus.OK,
            seq=n,
            scheduled_at=start + timedelta(seconds=offset),
            started_at=start + timedelta(seconds=offset),
            latency_ms=latency,
        )
        for n, (offset, latency) in enumerate(zip(offsets_s, latencies, strict=True))
    ]


def test_coordinated_omission_at_the_textbook_case():
    """20 requests/s for 60 s, 10 s frozen; 200 arrivals fall into it, 5 more are caught in flight.

    The 61st largest wait is 10.25 s - 55 * 0.05 s, the 13th 10.25 s - 7 * 0.05 s.
    """
    truth = [
        true_latency_ms(int(n / 20 * S), 250, Stall(start_ns=25 * S, end_ns=35 * S)) for n in range(1200)
    ]
    found = {d.q: d for d in calibration.deviations(rows_at([n / 20 for n in range(1200)], truth), truth)}
    assert found[0.95].true_ms == pytest.approx(7502.5)
    assert found[0.99].true_ms == pytest.approx(9900.5)
    assert found[0.99].error_ms == 0


def test_bounds():
    deviation = calibration.Deviation(q=0.5, true_ms=300.0, reported_ms=301.9)
    assert deviation.within(relative=0.005, absolute_ms=2.0)
    assert not deviation.within(relative=0.005)
    assert not replace(deviation, reported_ms=None).within(relative=1.0)
    assert replace(deviation, true_ms=0.0).error_ratio is None


def test_truth_of_rows_is_worked_out_from_their_ids():
    rows = rows_at([0, 1, 2], [1.0, 1.0, 1.0])
    assert calibration.truth_of(rows) == pytest.approx(
        [latency_ms(row.request_id, MODERATE_POINTS) for row in rows], abs=0.001
    )


def test_gap_variation():
    assert calibration.gap_variation(rows_at([0, 1, 2, 3], [1.0] * 4)) == 0
    assert calibration.gap_variation(rows_at([0, 1, 3], [1.0] * 3)) == pytest.approx(1 / 3)
    assert calibration.gap_variation(rows_at([0, 1], [1.0] * 2)) is None
