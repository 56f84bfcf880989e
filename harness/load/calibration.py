"""How far the harness's own figures are from the truth: pure arithmetic on what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

from harness.analysis.percentile import latency_percentile
from harness.load.known import MODERATE_POINTS, NO_STALL, Stall, latency_ms, true_latency_ms
from harness.records import Request

QUANTILES = (0.5, 0.95, 0.99)
MODERATE_RELATIVE = 0.005
MODERATE_ABSOLUTE_MS = 2.0
STALL_RELATIVE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One percentile: what was reported, what is true. Milliseconds; None for too few requests."""

    q: float
    true_ms: float | None
    reported_ms: float | None

    @property
    def error_ms(self) -> float | None:
        """Reported minus true."""
        if self.true_ms is None or self.reported_ms is None:
            return None
        return self.reported_ms - self.true_ms

    @property
    def error_ratio(self) -> float | None:
        """The error as a share of the truth."""
        error_ms = self.error_ms
        return None if error_ms is None or not self.true_ms else error_ms / self.true_ms

    def within(self, *, relative: float, absolute_ms: float = 0.0) -> bool:
        """Whether the error is small: either bound suffices. An unknown error is not."""
        error_ms, ratio = self.error_ms, self.error_ratio
        if error_ms is None or ratio is None:
            return False
        return abs(ratio) <= relative or abs(error_ms) <= absolute_ms


def deviations(
    reported: Sequence[Request], truth_ms: Sequence[float], failures: int = 0
) -> tuple[Deviation, ...]:
    """Reported against true percentiles.

    Args:
        reported: what the run recorded, warm-up left out.
        truth_ms: what is true, milliseconds.
        failures: requests that failed.
    """
    measured = [row.latency_ms for row in reported if row.latency_ms is not None]
    return tuple(
        Deviation(
            q=q,
            true_ms=latency_percentile(truth_ms, q=q).value_ms,
            reported_ms=latency_percentile(measured, failures=failures, q=q).value_ms,
        )
        for q in QUANTILES
    )


def truth_of(rows: Sequence[Request], stall: Stall = NO_STALL) -> list[float]:
    """What each arrival of an open loop truly had to wait, milliseconds from its intended start."""
    return [
        true_latency_ms(_wall_ns(row.scheduled_at), latency_ms(row.request_id, MODERATE_POINTS), stall)
        for row in rows
        if row.scheduled_at is not None
    ]


def gap_variation(rows: Sequence[Request]) -> float | None:
    """Coefficient of variation of the gaps between sends; None for fewer than three requests."""
    sent = sorted(row.started_at.timestamp() for row in rows if row.started_at is not None)
    gaps = [after - before for before, after in pairwise(sent)]
    if len(gaps) < 2 or (mean := fmean(gaps)) == 0:
        return None
    return pstdev(gaps) / mean


def _wall_ns(moment: datetime) -> int:
    """Nanoseconds since 1970, exactly (a float would lose the microseconds)."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) * 1000


def verdict(figures: Mapping[str, Sequence[Deviation]]) -> bool:
    """Whether the ruler is true on this machine, now: all of the open loop's figures within their bounds."""
    moderate = all(
        d.within(relative=MODERATE_RELATIVE, absolute_ms=MODERATE_ABSOLUTE_MS) for d in figures["moderate"]
    )
    stalled = all(d.within(relative=STALL_RELATIVE) for d in figures["stall"] if d.q > 0.5)
    return moderate and stalled


def as_json(deviation: Deviation) -> dict[str, Any]:
    """For machines and for the store."""
    return {
        "q": deviation.q,
        "true_ms": deviation.true_ms,
        "reported_ms": deviation.reported_ms,
        "error_ms": deviation.error_ms,
        "error_ratio": deviation.error_ratio,
    }
