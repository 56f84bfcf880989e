"""Figures of an evaluation: hand-made rows with known answers, and the coverage of the clustered intervals."""

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from harness.analysis.moments import mean_estimate, moments_of, numbered, share_estimate
from harness.figures.evaluation import evaluation_figures
from harness.records import LatencySource, Request, RequestStatus, RunKind, RunStatus, tier_of
from harness.report.evaluation_document import evaluation_document, evaluation_markdown, write_evaluation
from harness.report.reading import read_report
from tests.judged_rows import JudgedRun, view_of
from tests.near import near

AT = datetime(2026, 11, 1, tzinfo=UTC)


def run_row(status=RunStatus.COMPLETED, **config):
    return JudgedRun(
        run_id="run-1",
        kind=RunKind.EVAL,
        name="eval-2026-11-01-000000",
        status=status,
        started_at=AT,
        config={"strategies": ["first", "second"], **config},
    )


def figures_of(rows, run=None):
    view = view_of(rows, (), run or run_row())
    return evaluation_figures(view, view.run("run-1"))


def row(strategy, case, repeat, score, cost, *, latency=1000.0, status=RequestStatus.OK):
    ok = status is RequestStatus.OK
    return Request(
        run_id="run-1",
        request_id=f"{strategy}-{case}-{repeat}",
        status=status,
        strategy=strategy,
        case_id=case,
        repeat=repeat,
        started_at=AT,
        latency_ms=latency,
        latency_source=LatencySource.CLIENT,
        quality_score=score if ok else None,
        quality_tier=tier_of(score) if ok else None,
        draft_cost_usd=None if cost is None else Decimal(cost),
        cost_usd=None if cost is None else Decimal(cost),
    )


def two_strategies(cases=20, drop=0.005, **second):
    rows = []
    for number in range(cases):
        base = 0.92 + 0.002 * (number % 10)
        for repeat in (1, 2):
            rows.append(row("first", f"c{number}", repeat, base, "0.02"))
            rows.append(row("second", f"c{number}", repeat, base - drop, "0.016", **second))
    return rows


def test_tiers_scores_and_costs_of_each_strategy_stand_apart():
    rows = [
        row("first", "a", 1, 0.95, "0.03"),
        row("first", "b", 1, 0.8, "0.01"),
        row("second", "a", 1, 0.5, "0"),
    ]
    first, second = figures_of(rows, run_row(planned=4)).strategies
    assert (first.strategy, second.strategy) == ("first", "second")
    assert first.figures["high_tier"].value == 0.5
    assert first.figures["quality_score"].value == pytest.approx(0.875)
    assert first.figures["cost_per_request"].value == pytest.approx(0.02)
    assert first.figures["cost_per_high_answer"].value == pytest.approx(0.04)
    assert second.figures["cost_per_high_answer"].value is None
    assert first.planned == 2


def test_an_ungraded_answer_is_in_no_tier_and_an_unknown_cost_in_no_mean():
    rows = [row("first", "a", 1, 0.95, None), row("first", "b", 1, None, "0.01")]
    (first,) = figures_of(rows).strategies
    assert (first.ok, first.graded, first.unpriced) == (2, 1, 1)
    assert first.figures["high_tier"].n == 1
    assert first.figures["cost_per_request"].value == pytest.approx(0.01)


def test_failures_rank_above_every_latency():
    rows = [row("first", f"c{n}", 1, 0.9, "0.01") for n in range(10)]
    rows += [row("first", f"f{n}", 1, None, "0.01", status=RequestStatus.ERROR) for n in range(10)]
    (first,) = figures_of(rows).strategies
    assert first.figures["p95_latency"].over_limit
    assert first.figures["p95_latency"].value is None
    assert first.figures["error_ratio"].value == 0.5


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (0.0, "is not worse by more than 2 points, 95% sure, and saves 20.0%"),
        (-0.05, "is better by 5.0 points"),
        (0.05, "is worse by 5.0 points"),
        (0.01, "though by less than 2 points"),
    ],
)
def test_the_verdict_is_a_plain_sentence(drop, words):
    rows = two_strategies(drop=drop)
    shaken = [
        row(r.strategy, r.case_id, r.repeat, r.quality_score + 0.003 * ((hash_of(r) % 3) - 1), "0.02")
        if r.strategy == "first"
        else r
        for r in rows
    ]
    (found,) = figures_of(shaken).comparisons
    assert words in found.verdict
    assert found.power is not None
    assert "80% power" in found.power


def hash_of(request):
    return sum(request.request_id.encode())


def test_several_comparisons_hold_together():
    rows = two_strategies() + [row("third", f"c{n}", 1, 0.9, "0.01") for n in range(20)]
    found = figures_of(rows).comparisons
    assert [c.found.saving.confidence for c in found] == pytest.approx([0.975, 0.975])
    # Holm: the difference that is decided first is held against all six
    assert max(d.shift.change.confidence for c in found for d in c.found.found) == pytest.approx(1 - 0.05 / 6)


def test_a_truncated_run_says_so_in_every_rendering():
    figures = figures_of(two_strategies(), run_row(RunStatus.TRUNCATED, planned=100))
    assert "TRUNCATED" in evaluation_document(figures)["caution"]
    assert "80 requests that were finished of 100 planned" in evaluation_markdown(figures)


def test_the_report_is_read_back_where_there_is_no_store(tmp_path):
    rows = two_strategies()
    figures = figures_of(rows)
    with closing(view_of(rows, (), run_row())) as view:
        path, text = write_evaluation(view, figures, tmp_path)
    assert path.name == "eval-2026-11-01-000000.json"
    assert text.read_text().startswith("# eval-2026-11-01-000000")
    with closing(read_report(path).snapshot(str(path))) as view:
        again = evaluation_figures(view, view.run())
    assert near(evaluation_document(again)) == near(evaluation_document(figures))


def test_markdown_shows_names_as_text_not_markup():
    rows = [row("<img src=x>|a", f"c{n}", 1, 0.9, "0.01") for n in range(3)]
    assert "<img" not in evaluation_markdown(figures_of(rows))


def coverage(interval, runs=600, cases=30, repeats=5):
    """How often intervals hold the truth when repeats of a case resemble each other."""
    chance, robust, naive = np.random.default_rng(5), 0, 0
    names = np.repeat(np.arange(cases), repeats)
    for _ in range(runs):
        share = chance.beta(2, 2, size=cases)
        hits = chance.random((cases, repeats)) < share[:, None]
        cost = chance.gamma(4, 0.25, size=cases)[:, None] * chance.gamma(20, 0.05, size=(cases, repeats))
        for clusters in (names, None):
            found, truth = interval(hits.ravel(), cost.ravel(), clusters)
            held = found.low <= truth <= found.high
            robust, naive = robust + (held and clusters is not None), naive + (held and clusters is None)
    return robust / runs, naive / runs


def test_clustered_shares_cover_and_naive_ones_do_not():
    robust, naive = coverage(lambda hits, _, names: (share_estimate(moments_of(hits, names)), 0.5))
    assert 0.93 <= robust <= 0.975
    assert naive < 0.90


def test_clustered_cost_per_high_answer_covers():
    robust, naive = coverage(lambda hits, cost, names: (mean_estimate(moments_of(cost, names, of=hits)), 2.0))
    assert 0.91 <= robust <= 0.975
    assert naive < robust


def test_a_share_of_none_or_all_is_bounded_by_its_cases_not_its_repeats():
    every = share_estimate(moments_of([1.0] * 20, numbered([n // 2 for n in range(20)])))
    alone = share_estimate(moments_of([1.0] * 20))
    assert every.high == alone.high == 1.0
    assert every.low < alone.low < 1.0


def test_a_saving_that_noise_hides_is_not_called_the_same():
    rows = two_strategies(cases=4)
    noisy = [
        row(r.strategy, r.case_id, r.repeat, r.quality_score, "0.05" if r.case_id == "c0" else "0.01")
        if r.strategy == "second"
        else r
        for r in rows
    ]
    (found,) = figures_of(noisy).comparisons
    assert "whether it saves cannot be told yet" in found.verdict
