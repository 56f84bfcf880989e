"""Do the intervals cover, and do the tests err as rarely as they say? Simulated services with a known truth.

Prints Markdown; exits 1 when a claim does not hold. Seeded: the same tables every time.
"""

import math
import sys
from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from harness.analysis.cluster import clustered_mean
from harness.analysis.compare import compare_runs
from harness.analysis.dependence import dependent_quantile_interval
from harness.analysis.forecast import forecast_cost
from harness.analysis.interval import quantile_interval, wilson
from harness.analysis.sequential import Decision, decide_sequence
from harness.gate import GateLimits, evaluate_gate, gate_input
from harness.records import GateVerdict
from tests.judged_rows import JudgedRun, request

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
    return (interval.low_ms is None or interval.low_ms <= truth) and (
        interval.high_ms is None or truth <= interval.high_ms
    )


def independent_coverage(runs=3000):
    print("## Percentile intervals, independent requests\n")
    print(f"Nominal 95%, {runs:,} simulated runs a row.\n")
    rng, rows, two_sided = np.random.default_rng(1), [], []
    for n in (100, 300, 1000):
        for q in (0.5, 0.95, 0.99):
            truth = math.exp(LOCATION + SPREAD * ndtri(q))
            hits = unbounded = 0
            for _ in range(runs):
                interval = quantile_interval(np.exp(LOCATION + SPREAD * rng.normal(size=n)), q=q)
                hits += encloses(interval, truth)
                unbounded += interval.high_ms is None
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
                    interval = dependent_quantile_interval(sample, q=q)
                    aware += encloses(interval, truth)
                    unbounded += interval.high_ms is None
                    naive += encloses(quantile_interval(sample, q=q), truth)
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
        cases = np.repeat(np.arange(50), 6).tolist()
        by_case, plain = clustered_mean(values, cases), clustered_mean(values)
        robust += by_case.low <= 0 <= by_case.high
        naive += plain.low <= 0 <= plain.high
    table(
        ("method", "coverage"),
        [("repeats taken for cases", f"{naive / runs:.1%}"), ("clustered by case", f"{robust / runs:.1%}")],
    )
    hold("clustered intervals cover 93% to 97%", 0.93 <= robust / runs <= 0.97)


def rows_of(rng, template, location):
    values = np.exp(location + SPREAD * rng.normal(size=len(template)))
    return [replace(row, latency_ms=float(value)) for row, value in zip(template, values, strict=True)]


def difference_coverage(runs=400):
    print("\n## Two runs compared\n")
    print(f"300 requests each, {runs:,} pairs of runs a row; B slower by the factor given.\n")
    rng, rows, fine = np.random.default_rng(4), [], True
    with_cases = [request(seq, 1.0) for seq in range(300)]
    without = [replace(row, case_id=None) for row in with_cases]
    for name, template in (("same 40 cases", with_cases), ("no cases", without)):
        for factor in (1.0, 1.1, 1.25):
            seen = {"p50_latency": [0, 0], "p95_latency": [0, 0]}
            for _ in range(runs):
                a, b = rows_of(rng, template, LOCATION), rows_of(rng, template, LOCATION + math.log(factor))
                comparison = compare_runs(a, b)
                for figure, counts in seen.items():
                    found = comparison.named(figure)
                    z = 0.0 if figure == "p50_latency" else ndtri(0.95)
                    truth = math.exp(LOCATION + SPREAD * z) * (factor - 1)
                    counts[0] += (found.low is None or found.low <= truth) and (
                        found.high is None or truth <= found.high
                    )
                    counts[1] += found.regression
            for figure, (hits, regressions) in seen.items():
                rows.append(
                    (name, figure.split("_")[0], factor, f"{hits / runs:.1%}", f"{regressions / runs:.1%}")
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
    print("\n## The gate at a fixed number of requests\n")
    print(f"Limit 8 s, lognormal latencies, {runs:,} runs a row: how often each verdict comes.\n")
    rng, rows, wrong = np.random.default_rng(6), [], 0.0
    for p95_s in (7.0, 7.6, 8.4, 9.0):
        location = math.log(p95_s * 1000) - SPREAD * ndtri(0.95)
        for n in (100, 300, 1000):
            template = [request(seq, 1.0) for seq in range(n)]
            counts = {}
            for _ in range(runs if n < 1000 else runs // 3):
                run = gate_input(JudgedRun(), rows_of(rng, template, location))
                for mode, limits in (("point", GateLimits()), ("95%", GateLimits(confidence=0.95))):
                    verdict = evaluate_gate(run, limits).verdict
                    counts[mode, verdict] = counts.get((mode, verdict), 0) + 1
            total = runs if n < 1000 else runs // 3
            share = {key: count / total for key, count in counts.items()}
            false_verdict = GateVerdict.PASS if p95_s > 8 else GateVerdict.FAIL
            wrong = max(wrong, share.get(("95%", false_verdict), 0.0))
            rows.append(
                (
                    f"{p95_s:g} s",
                    n,
                    f"{share.get(('point', GateVerdict.PASS), 0):.0%}",
                    *(
                        f"{share.get(('95%', verdict), 0):.0%}"
                        for verdict in (GateVerdict.PASS, GateVerdict.INCONCLUSIVE, GateVerdict.FAIL)
                    ),
                )
            )
    table(
        ("true p95", "requests", "point estimate: PASS", "--confidence 0.95: PASS", "INCONCLUSIVE", "FAIL"),
        rows,
    )
    hold(f"with --confidence 0.95 the wrong verdict comes in at most 5% (worst {wrong:.1%})", wrong <= 0.05)


def forecast_coverage(runs=4000):
    print("\n## Cost forecasts\n")
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(runs):
        found = forecast_cost(rng.gamma(4, 0.005, 100), 400)
        hits += found.low_usd <= rng.gamma(4, 0.005, 400).sum() <= found.high_usd
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
    difference_coverage()
    sequential_errors()
    gate_errors()
    forecast_coverage()
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
