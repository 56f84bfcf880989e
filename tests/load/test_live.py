"""Live figures and suspicion, by hand."""

from decimal import Decimal

from harness.load.live import LiveRun
from harness.load.progress import Finished, Report, ReportStream


def report(worker=0, *, latencies=(), late=0.0, failed=0, **fields):
    finished = [
        Finished(seq=seq, latency_ms=value, lateness_ms=late, ok=True) for seq, value in enumerate(latencies)
    ]
    finished += [Finished(seq=1000 + n, latency_ms=1.0, lateness_ms=late, ok=False) for n in range(failed)]
    return Report(worker=worker, finished=finished, **fields)


def test_failures_rank_above_every_success():
    live = LiveRun(100)
    live.take(report(latencies=[float(n) for n in range(1, 91)], failed=10))
    figures = live.figures()
    assert figures.p50_ms == 50.5
    assert figures.p95_ms is None
    assert figures.error_ratio == 0.1


def test_workers_add_up():
    live = LiveRun(None)
    live.take(report(0, latencies=[1, 2], sent=3, in_flight=1, cost_usd="0.10", modes=["emulated"]))
    live.take(report(1, latencies=[3], sent=1, cost_usd="0.05", cost_unknown=1))
    live.take(report(0, latencies=[9], sent=4, in_flight=0, cost_usd="0.15", modes=["emulated"], ended=True))
    figures = live.figures()
    assert (figures.sent, figures.finished, figures.in_flight) == (5, 4, 0)
    assert figures.spend_usd == Decimal("0.20")
    assert figures.cost_unknown == 1
    assert live.ended == {0}
    assert live.modes == {"emulated"}


def test_nothing_yet_has_no_figures():
    figures = LiveRun(10).figures()
    assert figures.error_ratio is None
    assert figures.p50_ms is None


def test_late_generator_is_suspect():
    live = LiveRun(100)
    live.take(report(latencies=[1.0] * 98, late=0.0))
    assert live.suspicions(8000) == []
    live.take(report(latencies=[1.0] * 2, late=81.0))
    assert "sent late: p99 81.0 ms" in live.suspicions(8000)[0]
    assert live.suspicions(10_000) == []


def test_cap_and_lost_records_are_suspect():
    live = LiveRun(100)
    live.take(report(cap_reached=3, lost_records=2, lost_reason="disk full"))
    assert live.suspicions(8000) == [
        "the cap on requests in flight held 3 arrivals back",
        "2 records could not be written (disk full)",
    ]


def test_reports_survive_any_cutting_of_the_pipe():
    reports = [report(n, latencies=[0.5 * n], overdue=[(n, 900.0)], modes=["live"]) for n in range(5)]
    data = b"".join(item.line() for item in reports)
    stream = ReportStream()
    parsed = [item for byte in data for item in stream.feed(bytes([byte]))]
    assert parsed == reports
