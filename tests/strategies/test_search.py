"""Looking at many mixes: no advantage where there is none, one where there is, and what it rests on."""

import numpy as np
import pytest

from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Cells, Source
from harness.strategies.checkers import ConfidenceChecker, PerfectChecker, StatedChecker
from harness.strategies.controls import hull, oracle, singles
from harness.strategies.judging import Quick, quick
from harness.strategies.policies import Cascade, Routed, Single, World
from harness.strategies.search import Limits, searched
from harness.strategies.sensitivity import checker_needs

BOOK = PriceBook.load()
WEAK, STRONG = ModelRef("x", "weak"), ModelRef("x", "strong")
ANY = Limits(min_high_tier=0.0)


def source(ref, usd, high, confidence=None):
    n = len(high)
    return Source(
        ref=ref,
        repairer=None,
        side=ref.model,
        ok=np.ones(n, dtype=np.bool_),
        repaired=np.zeros(n, dtype=np.bool_),
        draft_usd=np.full(n, usd),
        draft_ms=np.full(n, 1000.0),
        repair_usd=np.zeros(n),
        repair_ms=np.zeros(n),
        score=high.astype(float),
        high=high.astype(float),
        confidence=np.full(n, np.nan) if confidence is None else confidence,
    )


def table(rng, n, *, confidence=None):
    """Two models on n cases, right 50% and 80% of the time, the dear one ten times as dear."""
    weak, strong = rng.random(n) < 0.5, rng.random(n) < 0.8
    told = rng.random(n) if confidence is None else confidence(weak)
    sources = (source(WEAK, 0.001, weak, told), source(STRONG, 0.01, strong))
    return World(Cells(sources=sources, cases=np.arange(n), chance=rng.random(n)), BOOK)


def routers(rng, how_many):
    """Routers that know nothing: each sends another random half to the strong model."""
    seeds = rng.integers(0, 2**32, how_many)

    def drawn(seed):
        return lambda cells: np.random.default_rng([seed, cells.n]).random(cells.n) < 0.5

    return [
        Routed(weak=WEAK, strong=STRONG, label=f"router {place}", to_strong=drawn(seed))
        for place, seed in enumerate(seeds)
    ]


def shown(search):
    """The mix that would be recommended, if any beats chance."""
    return [mix for mix in search.mixes if mix.control.beaten]


def test_the_best_of_many_routers_that_know_nothing_is_seldom_called_better_than_chance():
    rng = np.random.default_rng(5)
    false_alarms = 0
    for _ in range(60):
        world = table(rng, 300)
        found = searched(world, routers(rng, 40), Limits(min_high_tier=0.55), judge_p95=False)
        assert found.held_out
        assert found.looked_at == 40
        if found.best is not None:
            false_alarms += found.mixes[found.best].control.beaten
    assert false_alarms <= 6  # 2.5% of 60 each way; without the second half more than half would alarm


def test_with_too_few_cases_the_intervals_hold_for_all_at_once():
    rng = np.random.default_rng(6)
    found = searched(table(rng, 30), routers(rng, 10), ANY, judge_p95=False)
    assert not found.held_out
    assert found.confidence == pytest.approx(1 - 0.05 / 10)
    assert found.cases == 30


def test_a_confidence_that_knows_something_beats_chance_and_one_that_does_not_does_not():
    rng = np.random.default_rng(7)

    def knowing(weak):
        return np.clip(0.35 + 0.3 * weak + 0.1 * rng.normal(size=len(weak)), 0, 1)

    cascade = Cascade(first=WEAK, then=STRONG, checker=ConfidenceChecker(0.5))
    good = searched(table(rng, 2000, confidence=knowing), [cascade], ANY, judge_p95=False)
    assert good.mixes[0].control.beaten
    blind = searched(table(rng, 2000), [cascade], ANY, judge_p95=False)
    assert not blind.mixes[0].control.beaten


def test_the_gain_over_chance_by_hand():
    # weak right on 0, strong on all; the perfect cascade costs 0.001 + 0.01 * 3/4 and is always right
    high = np.tile([1, 0, 0, 0], 7).astype(bool)  # too few cases to hold some out
    sources = (source(WEAK, 0.001, high), source(STRONG, 0.01, np.ones(28, dtype=bool)))
    world = World(Cells(sources=sources, cases=np.arange(28), chance=np.full(28, 0.5)), BOOK)
    policy = Cascade(first=WEAK, then=STRONG, checker=PerfectChecker())
    found = searched(world, [policy], ANY, judge_p95=False)
    (mix,) = found.mixes
    assert mix.figures.cost_per_request.value == pytest.approx(0.0085)
    # chance at that cost: 7.5 / 9 of the requests at the strong model, the others right a quarter of the time
    share = 0.0075 / 0.009
    assert mix.control.share == pytest.approx(share)
    assert mix.control.gain.value == pytest.approx(1 - (share + (1 - share) * 0.25))
    assert quick(oracle(world)).high == 1.0
    assert quick(oracle(world)).usd == pytest.approx(0.001 / 4 + 0.01 * 3 / 4)


def test_only_models_that_chance_cannot_beat_are_its_corners():
    a, b, c, d = (ModelRef("x", name) for name in "abcd")
    found = hull(
        {
            a: Quick(1.0, 0.0, 0.5),
            b: Quick(2.0, 0.0, 0.55),
            c: Quick(3.0, 0.0, 0.9),
            d: Quick(4.0, 0.0, 0.7),
        }
    )
    assert found == [a, c]


def test_how_good_a_checker_has_to_be():
    world = table(np.random.default_rng(8), 4000)
    policy = Cascade(first=WEAK, then=STRONG, checker=PerfectChecker())
    strong = singles(world)[STRONG]
    needs = checker_needs(policy, world, min_high_tier=0.8, alternative=("strong", strong.usd))
    at = quick(Cascade(first=WEAK, then=STRONG, checker=StatedChecker(needs.sensitivity, 1.0)).over(world))
    assert at.high == pytest.approx(0.8)
    at = quick(Cascade(first=WEAK, then=STRONG, checker=StatedChecker(1.0, needs.specificity)).over(world))
    assert at.usd == pytest.approx(strong.usd)
    assert "as long as the checker catches at least" in needs.sentence(0.8)
    assert checker_needs(policy, world, min_high_tier=0.99).sensitivity is None


def test_a_thousand_policies_are_looked_at():
    rng = np.random.default_rng(9)
    world = table(rng, 400)
    found = searched(world, [*routers(rng, 1000), Single(draft=WEAK)], ANY, judge_p95=False)
    assert found.looked_at == 1001
    assert len(found.mixes) <= 9
