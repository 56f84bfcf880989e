"""Do the intervals cover, and do the tests err as rarely as they say? Simulated services with a known truth.

Prints Markdown; exits 1 when a claim does not hold. Seeded: the same tables every time.
"""

import math
import sys

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtri
from scipy.stats import binom

from harness.analysis.distributions import t_quantile
from harness.analysis.estimate import Sides
from harness.analysis.moments import mean_estimate, moments_of, score_estimate, share_estimate, wilson
from harness.analysis.quantile import (
    QuantileSample,
    inflation_by_block,
    quantile_at,
    quantile_estimates,
    quantile_ranks,
)
from harness.analysis.sequential import Decision, decide_sequence
from harness.analysis.shift import CaseLatencies, recovered, resampled_shifts, with_resampled

LOCATION, SPREAD = 8.0, 0.45
"""Latencies are lognormal: median 2,981 ms, p95 6,249 ms."""

FAILED: list[str] = []


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def hold(claim, true):
    """Note a claim; a false one fails the campaign."""
    print(f"- {'holds' if true else '**DOES NOT HOLD**'}: {claim}")
    if not true:
        FAILED.append(claim)


def correlated(rng, n, correlation):
    """Lognormal latencies whose logarithms are a first-order autoregression."""
    noise = rng.normal(size=n)
    noise[1:] *= math.sqrt(1 - correlation**2)
    for i in range(1, n):
        noise[i] += correlation * noise[i - 1]
    return np.exp(LOCATION + SPREAD * noise)


def encloses(interval, truth):
    return (interval.low is None or interval.low <= truth) and (
        interval.high is None or truth <= interval.high
    )


def percentile(latencies, q, clusters=None, sides=Sides.BOTH):
    """The one rule, of a sample in arrival order."""
    sample = QuantileSample(arrivals_ms=latencies, clusters=clusters)
    return quantile_estimates(sample, [q], sides=sides)[0]


def independent(latencies, q):
    """What an interval that knows of no correlation would say."""
    ranked = np.sort(latencies)
    ranks = quantile_ranks(ranked.size, q)
    at = {rank: float(ranked[rank - 1]) for rank in ranks.wanted if 1 <= rank <= ranked.size}
    return quantile_at(ranks, at, n=ranked.size, failures=0)


def independent_coverage(runs=3000):
    print("## Percentile intervals, independent requests\n")
    print(f"Nominal 95%, {runs:,} simulated runs a row.\n")
    rng, rows, two_sided = np.random.default_rng(1), [], []
    for n in (100, 300, 1000):
        for q in (0.5, 0.95, 0.99):
            truth = math.exp(LOCATION + SPREAD * ndtri(q))
            hits = unbounded = 0
            for _ in range(runs):
                interval = independent(np.exp(LOCATION + SPREAD * rng.normal(size=n)), q)
                hits += encloses(interval, truth)
                unbounded += interval.high is None
            rows.append((n, f"p{q * 100:g}", f"{hits / runs:.1%}", f"{unbounded / runs:.0%}"))
            if not unbounded:
                two_sided.append(hits / runs)
    table(("requests", "percentile", "coverage", "no upper bound (too few requests)"), rows)
    hold("every two-sided interval covers 93% to 97%", all(0.93 <= share <= 0.97 for share in two_sided))


def dependent_coverage(runs=1500):
    print("\n## Percentile intervals, correlated requests\n")
    print(f"Lag-1 correlation of the logarithms; nominal 95%, {runs:,} simulated runs a row.\n")
    rng, rows, worst = np.random.default_rng(2), [], 1.0
    for n in (300, 1000):
        for correlation in (0.0, 0.3, 0.6, 0.9):
            for q in (0.5, 0.95):
                truth = math.exp(LOCATION + SPREAD * ndtri(q))
                aware = naive = unbounded = 0
                for _ in range(runs):
                    sample = correlated(rng, n, correlation)
                    interval = percentile(sample, q)
                    aware += encloses(interval, truth)
                    unbounded += interval.high is None
                    naive += encloses(independent(sample, q), truth)
                worst = min(worst, aware / runs)
                rows.append(
                    (
                        n,
                        correlation,
                        f"p{q * 100:g}",
                        f"{naive / runs:.1%}",
                        f"{aware / runs:.1%}",
                        f"{unbounded / runs:.0%}",
                    )
                )
    table(("requests", "correlation", "percentile", "independent method", "harness", "no upper bound"), rows)
    hold("the harness's intervals cover at least 90%, also at correlation 0.9", worst >= 0.90)


def ratio_coverage():
    print("\n## Wilson intervals of ratios\n\nExact, by summing the binomial.\n")
    rows, mean = [], []
    for n in (59, 300, 1000):
        shares = np.linspace(0.002, 0.5, 250)
        inside = (
            np.array([wilson(k, n).low for k in range(n + 1)]),
            np.array([wilson(k, n).high for k in range(n + 1)]),
        )
        covers = [
            float(binom.pmf(np.arange(n + 1), n, share)[(inside[0] <= share) & (share <= inside[1])].sum())
            for share in shares
        ]
        mean.append(float(np.mean(covers)))
        rows.append((n, f"{mean[-1]:.1%}", f"{min(covers):.1%}"))
    table(("n", "mean coverage over shares 0.2% to 50%", "worst share"), rows)
    hold("mean coverage lies in 93% to 97%", all(0.93 <= value <= 0.97 for value in mean))


def cluster_coverage(runs=4000):
    print("\n## Means over repeated cases\n")
    print(f"50 cases, 6 repeats each, cases differ twice as much as repeats; {runs:,} runs.\n")
    rng = np.random.default_rng(3)
    robust = naive = 0
    for _ in range(runs):
        values = (rng.normal(size=50)[:, None] + 0.5 * rng.normal(size=(50, 6))).ravel()
        cases = np.repeat(np.arange(50), 6)
        by_case, plain = mean_estimate(moments_of(values, cases)), mean_estimate(moments_of(values))
        robust += by_case.low <= 0 <= by_case.high
        naive += plain.low <= 0 <= plain.high
    table(
        ("method", "coverage"),
        [("repeats taken for cases", f"{naive / runs:.1%}"), ("clustered by case", f"{robust / runs:.1%}")],
    )
    hold("clustered intervals cover 93% to 97%", 0.93 <= robust / runs <= 0.97)


def share_coverage(runs=2000):
    print("\n## Shares and scores over repeated cases: what the gate's high tier rests on\n")
    print(
        f"Each case has its own chance (Beta, mean 0.8, correlation within cases as given); {runs:,} runs a row. "
        "Plain Wilson takes each repeat for a new case.\n"
    )
    rng, rows, shares, scores = np.random.default_rng(8), [], [], []
    for cases, repeats in ((20, 3), (60, 3), (60, 5), (200, 3)):
        clusters = np.repeat(np.arange(cases), repeats)
        for within in (0.1, 0.3, 0.6):
            size = 1.0 / within - 1.0
            own = plain = graded = 0
            for _ in range(runs):
                chance = rng.beta(0.8 * size, 0.2 * size, size=cases)[clusters]
                hits = (rng.random(chance.size) < chance).astype(float)
                own += encloses(share_estimate(moments_of(hits, clusters)), 0.8)
                plain += encloses(wilson(int(hits.sum()), hits.size), 0.8)
                graded += encloses(score_estimate(moments_of(chance, clusters)), 0.8)
            shares.append(own / runs)
            scores.append(graded / runs)
            rows.append(
                (cases, repeats, within, f"{plain / runs:.1%}", f"{own / runs:.1%}", f"{graded / runs:.1%}")
            )
    table(("cases", "repeats", "correlation", "plain Wilson, share", "share", "score"), rows)
    hold(
        f"shares over cases cover 93% to 97% in the mean ({np.mean(shares):.1%}), and at least 91% everywhere "
        f"({min(shares):.1%})",
        0.93 <= np.mean(shares) <= 0.97 and min(shares) >= 0.91,
    )
    hold(
        f"scores over cases cover 93% to 97% in the mean ({np.mean(scores):.1%})",
        0.93 <= np.mean(scores) <= 0.97,
    )


def repeated_percentiles(runs=1500):
    print("\n## Percentiles over repeated cases\n")
    print(
        f"60 cases, asked again and again in the same order, as different as repeats; {runs:,} runs a row.\n"
    )
    rng, rows, fine = np.random.default_rng(9), [], []
    for repeats in (3, 5):
        clusters = np.tile(np.arange(60), repeats)
        for q in (0.5, 0.95):
            truth = math.exp(math.sqrt(2.0) * ndtri(q))
            own = naive = unbounded = 0
            for _ in range(runs):
                latencies = np.exp(np.tile(rng.normal(size=60), repeats) + rng.normal(size=clusters.size))
                found = percentile(latencies, q, clusters)
                own += encloses(found, truth)
                unbounded += found.high is None
                naive += encloses(independent(latencies, q), truth)
            fine.append(own / runs)
            rows.append(
                (
                    repeats,
                    f"p{q * 100:g}",
                    f"{naive / runs:.1%}",
                    f"{own / runs:.1%}",
                    f"{unbounded / runs:.0%}",
                )
            )
    table(("repeats", "percentile", "independent method", "harness", "no upper bound"), rows)
    hold(f"clustered percentiles cover at least 93% (worst {min(fine):.1%})", min(fine) >= 0.93)


def blocks_of_time(runs=150, n=120_000):
    print("\n## Percentiles of more requests than are fetched\n")
    print(f"{n:,} requests, correlated in time; 256 spans of time are the clusters; {runs:,} runs a row.\n")
    rng, rows, fine = np.random.default_rng(10), [], []
    blocks = np.arange(n) * 256 // n
    for correlation in (0.0, 0.9, 0.99):
        truth = math.exp(LOCATION + SPREAD * ndtri(0.95))
        own = naive = 0
        for _ in range(runs):
            latencies = smooth(rng, n, correlation)
            cut = np.quantile(latencies, 0.95)
            by_time = inflation_by_block(moments_of(latencies <= cut, blocks))
            ranked = np.sort(latencies)
            ranks = quantile_ranks(n, 0.95, by_time=by_time)
            at = {rank: float(ranked[rank - 1]) for rank in ranks.wanted if 1 <= rank <= n}
            own += encloses(quantile_at(ranks, at, n=n, failures=0), truth)
            naive += encloses(independent(latencies, 0.95), truth)
        fine.append(own / runs)
        rows.append((correlation, f"{naive / runs:.1%}", f"{own / runs:.1%}"))
    table(("correlation", "independent method", "harness"), rows)
    hold(f"they cover at least 90% (worst {min(fine):.1%})", min(fine) >= 0.90)


def smooth(rng, n, correlation):
    """As `correlated`, fast for many requests."""
    noise = rng.normal(size=n) * math.sqrt(1 - correlation**2)
    noise[0] = rng.normal()
    return np.exp(LOCATION + SPREAD * lfilter([1.0], [1.0, -correlation], noise))


def difference_coverage(runs=400):
    print("\n## Two runs compared\n")
    print(f"300 requests each, {runs:,} pairs of runs a row; B slower by the factor given.\n")
    rng, rows, fine = np.random.default_rng(4), [], True
    cases = np.arange(300) % 40
    for name in ("same 40 cases", "no cases"):
        for factor in (1.0, 1.1, 1.25):
            for q in (0.5, 0.95):
                hits = regressions = 0
                truth = math.exp(LOCATION + SPREAD * ndtri(q)) * (factor - 1)
                for _ in range(runs):
                    a, b = (
                        np.exp(LOCATION + shift + SPREAD * rng.normal(size=300))
                        for shift in (0, math.log(factor))
                    )
                    clusters = cases if name != "no cases" else None
                    shift = recovered(percentile(a, q, clusters), percentile(b, q, clusters))
                    if clusters is not None:
                        sides = [CaseLatencies(ms=side, cases=cases) for side in (a, b)]
                        shift = with_resampled(shift, resampled_shifts(*sides, [q])[q], 40)
                    hits += encloses(shift.change, truth)
                    regressions += shift.change.low is not None and shift.change.low > 0
                rows.append(
                    (name, f"p{q * 100:g}", factor, f"{hits / runs:.1%}", f"{regressions / runs:.1%}")
                )
                fine &= hits / runs >= 0.92 and (factor > 1 or regressions / runs <= 0.05)
    table(
        ("requests", "percentile", "true factor", "coverage of the difference", "called a regression"), rows
    )
    hold("coverage is at least 92%, and equal runs are called a regression in at most 5%", fine)


def sequential_errors(runs=4000, most=4000):
    print("\n## Early stopping\n")
    print(
        f"Is the share over the limit below or above 5%? {runs:,} simulated services a row, at most {most:,} "
        "requests each. Counted at the decision; undecided runs go to their end.\n"
    )
    rng, rows, wrong, medians = np.random.default_rng(5), [], 0.0, {}
    for share in (0.0, 0.005, 0.01, 0.02, 0.03, 0.049, 0.05, 0.051, 0.07, 0.10, 0.15, 0.20, 0.40):
        below = above = 0
        spent = []
        for _ in range(runs):
            outcome = decide_sequence(rng.random(most) < share)
            below += outcome.decision is Decision.BELOW
            above += outcome.decision is Decision.ABOVE
            spent.append(outcome.n)
        medians[share] = float(np.median(spent))
        if share >= 0.05:
            wrong = max(wrong, below / runs)
        if share <= 0.05:
            wrong = max(wrong, above / runs)
        rows.append(
            (
                f"{share:.1%}",
                f"{below / runs:.1%}",
                f"{above / runs:.1%}",
                f"{medians[share]:,.0f}",
                f"{np.quantile(spent, 0.9):,.0f}",
            )
        )
    table(
        ("true share over", "decided: PASS", "decided: FAIL", "median requests", "90% of runs need at most"),
        rows,
    )
    hold(f"wrong decisions are at most 5% (worst {wrong:.1%})", wrong <= 0.05)
    hold(
        f"1% over decides in a median of {medians[0.01]:.0f} requests (goal 120), 20% in {medians[0.2]:.0f} "
        "(goal 30)",
        medians[0.01] <= 120 and medians[0.2] <= 30,
    )


def gate_errors(runs=600):
    print("\n## The gate's p95 at a fixed number of requests\n")
    print(f"Limit 8 s, lognormal latencies, {runs:,} runs a row: how often each verdict comes.\n")
    rng, rows, wrong = np.random.default_rng(6), [], 0.0
    for p95_s in (7.0, 7.6, 8.4, 9.0):
        location = math.log(p95_s * 1000) - SPREAD * ndtri(0.95)
        for n in (100, 300, 1000):
            passed = surely = surely_not = 0
            for _ in range(runs):
                latencies = np.exp(location + SPREAD * rng.normal(size=n))
                passed += percentile(latencies, 0.95).value <= 8000
                surely_not += percentile(latencies, 0.95, sides=Sides.LOWER).lies_above(8000)
                surely += percentile(latencies, 0.95, sides=Sides.UPPER).lies_within(8000)
            wrong = max(wrong, (surely if p95_s > 8 else surely_not) / runs)
            undecided = runs - surely - surely_not
            rows.append(
                (
                    f"{p95_s:g} s",
                    n,
                    f"{passed / runs:.0%}",
                    f"{surely / runs:.0%}",
                    f"{undecided / runs:.0%}",
                    f"{surely_not / runs:.0%}",
                )
            )
    table(
        ("true p95", "requests", "point estimate: PASS", "--confidence 0.95: PASS", "INCONCLUSIVE", "FAIL"),
        rows,
    )
    hold(f"with --confidence 0.95 the wrong verdict comes in at most 5% (worst {wrong:.1%})", wrong <= 0.05)


def forecast_coverage(runs=4000):
    print("\n## Cost forecasts\n")
    rng, hits, volume = np.random.default_rng(7), 0, 400
    for _ in range(runs):
        costs = rng.gamma(4, 0.005, 100)
        mean = moments_of(costs)
        spread = (volume * mean.error) ** 2 + volume * costs.var(ddof=1)
        half = t_quantile(99, 0.975) * math.sqrt(spread)
        hits += abs(rng.gamma(4, 0.005, volume).sum() - volume * mean.ratio) <= half
    print(
        f"From 100 requests, the cost of the next 400: the 95% interval held it in {hits / runs:.1%} of {runs:,}.\n"
    )
    hold("forecasts cover 93% to 97%", 0.93 <= hits / runs <= 0.97)


def main():
    print("# The statistics, held to their claims\n")
    independent_coverage()
    dependent_coverage()
    ratio_coverage()
    cluster_coverage()
    share_coverage()
    repeated_percentiles()
    blocks_of_time()
    difference_coverage()
    sequential_errors()
    gate_errors()
    forecast_coverage()
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
