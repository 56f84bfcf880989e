"""How firmly a way stands on the frontier, and what would settle it against the runner-up."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.estimate import no_estimate
from harness.analysis.frontier import Candidate
from harness.analysis.power import cases_for_difference, plan_for_share
from harness.report.frontier_document import frontier_document, frontier_rows
from harness.strategies.frontier import frontier_report
from harness.strategies.resampling import Units, frontier_shares
from harness.strategies.runner_up import runner_up
from harness.strategies.search import Limits
from tests.strategies.recorded import sides
from tests.strategies.test_frontier import recorded

RNG = np.random.default_rng(12)


def units(usd, high, ms, n=400):
    return Units(
        own=np.arange(n, dtype=np.uint64),
        usd=np.broadcast_to(np.asarray(usd, float), n).copy(),
        high=np.broadcast_to(np.asarray(high, float), n).copy(),
        ms=np.broadcast_to(np.asarray(ms, float), n).copy(),
    )


def test_what_is_beaten_in_every_resample_never_stands_on_the_frontier():
    cheap, dear = units(1.0, 0.0, 100.0), units(2.0, 1.0, 200.0)
    worse = units(3.0, 0.0, 300.0)
    assert frontier_shares([cheap, dear, worse], latency=True) == [1.0, 1.0, 0.0]


def test_two_that_differ_by_chance_alone_share_the_frontier():
    one, two = (units(RNG.lognormal(0, 0.5, 400), 1.0, 100.0) for _ in range(2))
    shares = frontier_shares([one, two], latency=False)
    assert sum(shares) == pytest.approx(1.0)
    same = frontier_shares([one, replace(one, usd=one.usd + 1e-6)], latency=False)
    assert same == [1.0, 0.0]  # what is common to a case moves both


def test_the_share_is_the_bootstraps_own_by_hand():
    # cost 1 or 3 by case against a sure 2.05: on the frontier where the resampled mean is below
    mixed = units(np.tile([1.0, 3.0], 200), 1.0, 1.0)
    (share, _) = frontier_shares([mixed, units(2.05, 1.0, 1.0)], latency=False)
    assert share == pytest.approx(0.84, abs=0.06)  # P(mean < 2.05), standard error 1 / 20


def test_failures_rank_above_every_latency_and_the_unknown_has_no_share():
    failing = units(1.0, 1.0, np.where(np.arange(400) % 10 == 0, np.inf, 50.0))
    slow = units(1.0, 1.0, 5000.0)
    assert frontier_shares([failing, slow], latency=True) == [0.0, 1.0]
    assert frontier_shares([units(np.nan, 1.0, 1.0), slow], latency=True) == [None, 1.0]
    assert frontier_shares([], latency=True) == []


def figure(value):
    return replace(no_estimate("none"), value=value, n=400)


def candidate(name, usd, high, p95=1000.0):
    return Candidate(name=name, cost_usd=figure(usd), p95_ms=figure(p95), quality=figure(high), n=400)


def rival(others, best="best", **options):
    own = {"best": units(0.02, 0.95, 1000.0)} | options.pop("units", {})
    return runner_up(others, best, Limits(min_high_tier=0.9), own, judge_p95=True)


def test_a_cheaper_one_that_misses_the_quality_says_by_how_much_and_what_would_tell():
    high = (np.arange(400) % 50 < 43).astype(float)  # 86%
    found = rival(
        [candidate("best", 0.02, 0.95), candidate("cheap", 0.01, 0.86), candidate("far", 0.001, 0.2)],
        units={"cheap": units(0.01, high, 1000.0)},
    )
    assert found.name == "cheap"
    assert "it reached 90% high tier instead of 86.0%" in found.needs
    needed = cases_for_difference(0.04, float(high.std(ddof=1)))
    assert found.experiment.cases == needed
    assert found.experiment.cost_usd == pytest.approx(needed * 0.01)
    assert f"{needed:,} cases of it" in found.sentence


def test_a_dearer_one_says_the_cost_and_is_compared_case_by_case():
    spread = 0.002 * np.sin(np.arange(400))
    found = rival(
        [candidate("best", 0.02, 0.95), candidate("dear", 0.021, 0.97)],
        units={"dear": units(0.021 + spread, 1.0, 1000.0)},
    )
    assert found.needs == "dear would be the choice if a request of it cost $0.020000 instead of $0.021000."
    difference = 0.001 + spread
    assert found.experiment.cases == cases_for_difference(difference.mean(), difference.std(ddof=1))
    assert found.experiment.ways == 2
    assert found.experiment.cost_usd == pytest.approx(found.experiment.cases * 0.041)


def test_a_slow_one_says_its_p95_and_how_many_requests_would_tell():
    ms = np.where(np.arange(400) % 12 == 0, 9000.0, 1000.0)
    found = rival(
        [candidate("best", 0.02, 0.95), candidate("slow", 0.01, 0.95, 9000.0)],
        units={"slow": units(0.01, 0.95, ms)},
    )
    assert "its p95 were 8 s instead of 9.00 s" in found.needs
    assert found.experiment.cases == plan_for_share(float((ms > 8000).mean())).requests


def test_nothing_to_hold_it_against_has_no_runner_up():
    assert rival([candidate("best", 0.02, 0.95)]) is None
    unknown = Candidate(name="x", cost_usd=figure(None), p95_ms=figure(1.0), quality=figure(1.0), n=9)
    assert rival([candidate("best", 0.02, 0.95), unknown]) is None
    nobody = rival([candidate("a", 0.02, 0.8), candidate("b", 0.01, 0.85)], best=None)
    assert nobody.name == "b"
    assert nobody.experiment is None  # no request of it is at hand


def test_the_report_tells_both_in_words_and_in_json():
    report = frontier_report(sides(*recorded("single", "hybrid", "cheap")))
    document = frontier_document(report)
    assert [own["frontier_share"] for own in document["strategies"]] == [0.0, 1.0, 1.0]
    assert frontier_rows(report)[1][-2:] == ("100%", "recommended")
    assert document["runner_up"]["name"] == "single"
    assert document["runner_up"]["sentence"].startswith("single would be the choice if a request of it cost")
