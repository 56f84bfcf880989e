"""What would have to be true for the runner-up to be taken, and the experiment that would settle it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.frontier import Candidate
from harness.analysis.power import DEFAULT_POWER, cases_for_difference, plan_for_share
from harness.strategies.cells import Column
from harness.strategies.resampling import P95, Units
from harness.strategies.search import Limits

LEAST_COMMON_CASES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What would settle it.

    Attributes:
        cases: of each way that is asked; of a percentile, requests.
        ways: how many ways are asked them.
        cost_usd: of all of it.
        power: chance of seeing a difference as large as the one recorded.
    """

    cases: int
    ways: int
    cost_usd: float
    power: float = DEFAULT_POWER


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerUp:
    """The way that comes nearest to being taken.

    Attributes:
        needs: what would have to be true, in words.
        change: how much that is, relative to what it is now.
        experiment: None where what is recorded cannot tell.
    """

    name: str
    needs: str
    change: float
    experiment: Experiment | None

    @property
    def sentence(self) -> str:
        """For people."""
        if self.experiment is None:
            return self.needs
        own = self.experiment
        whom = "both" if own.ways == 2 else "it"
        return (
            f"{self.needs} About {own.cases:,} cases of {whom} (${own.cost_usd:,.2f}) would tell, "
            f"with {own.power:.0%} power."
        )


def runner_up(
    candidates: Sequence[Candidate],
    chosen: str | None,
    limits: Limits,
    units: Mapping[str, Units],
    *,
    judge_p95: bool,
) -> RunnerUp | None:
    """The nearest rival of the recommendation: in cost where it keeps the limits, else in what it misses.

    Args:
        candidates: what may be recommended.
        chosen: the recommended one; None where none keeps the limits.
        limits: of the recommendation.
        units: requests of the candidates, by name.
        judge_p95: the latencies can be held against the limit.
    """
    best = next((own for own in candidates if own.name == chosen), None)
    best_usd = None if best is None else best.cost_usd.value
    found = [
        rival
        for own in candidates
        if own is not best
        for rival in [_rival(own, best, best_usd, limits, units, judge_p95=judge_p95)]
        if rival is not None
    ]
    return min(found, key=lambda rival: rival.change, default=None)


def _rival(
    own: Candidate,
    best: Candidate | None,
    best_usd: float | None,
    limits: Limits,
    units: Mapping[str, Units],
    *,
    judge_p95: bool,
) -> RunnerUp | None:
    usd, high, p95 = own.cost_usd.value, own.quality.value, own.p95_ms.value
    if usd is None or high is None or usd <= 0.0:
        return None
    if judge_p95 and p95 is None:
        return None
    wishes: list[str] = []
    changes: list[float] = []
    if high < limits.min_high_tier:
        wishes.append(f"it reached {limits.min_high_tier * 100:g}% high tier instead of {high:.1%}")
        changes.append((limits.min_high_tier - high) / limits.min_high_tier)
    if judge_p95 and p95 is not None and p95 > limits.max_p95_ms:
        wishes.append(f"its p95 were {limits.max_p95_ms / 1000:g} s instead of {p95 / 1000:.2f} s")
        changes.append((p95 - limits.max_p95_ms) / p95)
    missed = len(wishes)
    most = min(limit for limit in (best_usd, limits.max_cost_usd, np.inf) if limit is not None)
    if usd > most:
        wishes.append(f"a request of it cost ${most:.6f} instead of ${usd:.6f}")
        changes.append((usd - most) / usd)
    if not wishes:
        return None
    experiment = None
    if len(wishes) == 1 and own.name in units:
        experiment = _experiment(own, best, limits, units, misses_a_limit=bool(missed))
    return RunnerUp(
        name=own.name,
        needs=f"{own.name} would be the choice if {' and '.join(wishes)}.",
        change=max(changes),
        experiment=experiment,
    )


def _experiment(
    own: Candidate,
    best: Candidate | None,
    limits: Limits,
    units: Mapping[str, Units],
    *,
    misses_a_limit: bool,
) -> Experiment | None:
    usd, high = own.cost_usd.value or 0.0, own.quality.value or 0.0
    mine = units[own.name]
    if not misses_a_limit:
        if best is None or best.name not in units:
            return None
        difference = _paired(mine, units[best.name])
        cases = _cases(float(difference.mean()), difference) if len(difference) else None
        each = usd + (best.cost_usd.value or 0.0)
        return None if cases is None else Experiment(cases=cases, ways=2, cost_usd=cases * each)
    if high < limits.min_high_tier:
        _, by_case = _by_case(mine, mine.high)
        cases = _cases(limits.min_high_tier - high, by_case)
        return None if cases is None else Experiment(cases=cases, ways=1, cost_usd=cases * usd)
    told = mine.ms[~np.isnan(mine.ms)]
    over = float((told > limits.max_p95_ms).mean()) if len(told) else 0.0
    if not 0.0 < over < 1.0 or abs(over - (1.0 - P95)) < 1e-9:
        return None
    planned = plan_for_share(over, allowed_share=1.0 - P95).requests
    return None if planned is None else Experiment(cases=planned, ways=1, cost_usd=planned * usd)


def _cases(difference: float, by_case: Column) -> int | None:
    """Cases that tell a mean from zero; None where too few are recorded or they do not vary."""
    if len(by_case) < LEAST_COMMON_CASES:
        return None
    spread = float(by_case.std(ddof=1))
    if difference == 0.0 or spread <= 0.0:
        return None
    return cases_for_difference(difference, spread)


def _paired(one: Units, other: Units) -> Column:
    """Difference of the mean costs on each case that both answered."""
    mine, own_usd = _by_case(one, one.usd)
    theirs, other_usd = _by_case(other, other.usd)
    _, left, right = np.intersect1d(mine, theirs, assume_unique=True, return_indices=True)
    found: Column = own_usd[left] - other_usd[right]
    return found


def _by_case(units: Units, values: Column) -> tuple[NDArray[np.uint64], Column]:
    """Each case with its mean of the known values."""
    known = ~np.isnan(values)
    cases, place, counts = np.unique(units.own[known], return_inverse=True, return_counts=True)
    return cases, np.bincount(place, weights=values[known]) / counts
