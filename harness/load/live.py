"""The figures of a run while it goes on, from what its workers report."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.analysis.percentile import latency_percentile
from harness.lateness import lateness_of
from harness.load.progress import Report

SUSPECT_SHARE_OF_SLO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """A glance at the run. Quantiles are exact, None while there are too few requests for them."""

    planned: int | None
    sent: int
    finished: int
    failed: int
    in_flight: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    spend_usd: Decimal
    cost_unknown: int

    @property
    def error_ratio(self) -> float | None:
        """Failed of finished, 0..1; None before the first."""
        return self.failed / self.finished if self.finished else None


class LiveRun:
    """Takes reports in and knows where the run stands.

    Args:
        planned: arrivals of the schedule; None for a closed loop.
    """

    def __init__(self, planned: int | None) -> None:
        self.planned = planned
        self.ended: set[int] = set()
        self.lateness_ms: list[float] = []
        self._latency_ms: list[float] = []
        self._failed = 0
        self._last: dict[int, Report] = {}

    def take(self, report: Report) -> None:
        """One message of one worker."""
        self._last[report.worker] = report
        for finished in report.finished:
            self.lateness_ms.append(finished.lateness_ms)
            if finished.ok:
                self._latency_ms.append(finished.latency_ms)
            else:
                self._failed += 1
        if report.ended:
            self.ended.add(report.worker)

    @property
    def reports(self) -> Sequence[Report]:
        """The last message of each worker."""
        return tuple(self._last.values())

    @property
    def sent(self) -> int:
        """Requests sent so far."""
        return sum(report.sent for report in self.reports)

    @property
    def finished(self) -> int:
        """Requests answered or failed so far."""
        return len(self._latency_ms) + self._failed

    @property
    def modes(self) -> set[str]:
        """What answered, as telemetry tells."""
        return {mode for report in self.reports for mode in report.modes}

    @property
    def lost_records(self) -> int:
        """Requests whose record could not be written: the disk is full."""
        return sum(report.lost_records for report in self.reports)

    def figures(self) -> LiveFigures:
        """Where the run stands now."""
        p50, p95, p99 = (
            latency_percentile(self._latency_ms, failures=self._failed, q=q).value_ms
            for q in (0.5, 0.95, 0.99)
        )
        return LiveFigures(
            planned=self.planned,
            sent=self.sent,
            finished=self.finished,
            failed=self._failed,
            in_flight=sum(report.in_flight for report in self.reports),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            spend_usd=sum((Decimal(report.cost_usd) for report in self.reports), Decimal(0)),
            cost_unknown=sum(report.cost_unknown for report in self.reports),
        )

    def lateness_p99_ms(self) -> float | None:
        """p99 of how late requests were sent, of few requests nearly the maximum; None without any."""
        return lateness_of(self.lateness_ms).p99_ms

    def sent_late(self, allowed_ms: float) -> bool:
        """Whether the generator's p99 lateness is over so much."""
        late_ms = self.lateness_p99_ms()
        return late_ms is not None and late_ms > allowed_ms

    def suspicions(self, slo_ms: float) -> list[str]:
        """Why the generator, not the target, may have been slow; empty when nothing says so."""
        reasons = []
        allowed_ms = SUSPECT_SHARE_OF_SLO * slo_ms
        if self.sent_late(allowed_ms):
            late_ms = self.lateness_p99_ms()
            reasons.append(
                f"the generator sent late: p99 {late_ms:.1f} ms, over {allowed_ms:.0f} ms (1% of the limit)"
            )
        capped = sum(report.cap_reached for report in self.reports)
        if capped:
            reasons.append(f"the cap on requests in flight held {capped} arrivals back")
        if lost := self.lost_records:
            why = next((report.lost_reason for report in self.reports if report.lost_reason), "unknown")
            reasons.append(f"{lost} records could not be written ({why})")
        return reasons
