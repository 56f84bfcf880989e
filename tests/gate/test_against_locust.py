"""What Locust's own statistics would have let pass. Locust monkey-patches on import: it runs in a child."""

import json
import subprocess
import sys

import pytest

from harness.figures.sides import whole_side
from harness.gate import GateLimits, evaluate_gate
from harness.records import GateVerdict
from tests.judged_rows import failed, request, view_of

LOCUST_P95 = """
import json, sys
from locust.stats import RequestStats
stats = RequestStats()
for latency in json.load(sys.stdin):
    stats.log_request("POST", "/assist/draft-graph", latency, 0)
print(json.dumps(stats.total.get_response_time_percentile(0.95)))
"""


def locust_p95(latencies):
    done = subprocess.run(
        [sys.executable, "-c", LOCUST_P95],
        input=json.dumps(latencies),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def p95_of(rows, **limits):
    view = view_of(rows)
    report = evaluate_gate(whole_side(view, view.run()), GateLimits(**limits))
    return report, next(check for check in report.checks if check.name == "p95_latency")


def spread(latencies):
    """The same latencies with the slow ones spread over the run."""
    n = len(latencies)
    return [latencies[seq * 101 % n] for seq in range(n)]


def test_8010_6_ms_fails_here_and_passes_there():
    latencies = spread([4000.0] * 280 + [8010.6] * 20)
    report, p95 = p95_of([request(seq, latency) for seq, latency in enumerate(latencies)])
    assert p95.value == pytest.approx(8010.6)
    assert report.verdict is GateVerdict.FAIL
    assert locust_p95(latencies) <= 8000


def test_fast_503s_lower_the_percentile_there_and_not_here():
    # 1,000 requests: 20% fast 503s; 6% of the 800 answers take 9 s. The errors are allowed here, so that
    # the percentile alone decides
    latencies = [9000.0] * 48 + [3.0] * 200 + [3000.0] * 752
    latencies = [latencies[seq * 101 % 1000] for seq in range(1000)]
    rows = [failed(seq) if latency == 3.0 else request(seq, latency) for seq, latency in enumerate(latencies)]
    report, p95 = p95_of(rows, max_error_ratio=0.25)
    assert (p95.value, p95.over_limit) == (None, True)
    assert report.verdict is GateVerdict.FAIL
    assert locust_p95(latencies) == 3000
