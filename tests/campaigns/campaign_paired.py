"""`eval --stop-early`: how often its verdicts are wrong, and what it saves, on simulated strategies.

Prints Markdown; exits 1 when a claim does not hold. Seeded: the same tables every time.
"""

import sys

import numpy as np

from harness.analysis.paired_sequential import paired_verdict

RUNS, CASES, ALPHA = 2000, 500, 0.025
"""A run with one strategy beside the first shares 5% among two claims."""
SCORES = {
    "2 points worse, sd 10": (-0.02, 0.10, None),
    "2 points worse, sd 30": (-0.02, 0.30, None),
    "equal, sd 5": (0.0, 0.05, True),
    "5 points better, sd 15": (0.05, 0.15, True),
    "12 points worse, sd 15": (-0.12, 0.15, False),
    "30 points worse, sd 40": (-0.30, 0.40, False),
}
COSTS = {
    "10% cheaper": (0.9, None),
    "equally dear": (1.0, False),
    "half": (0.5, True),
    "a tenth": (0.1, True),
}
MOST = 5.0
"""A request's worst case, in multiples of what it costs in the mean."""


def simulated(draw, **bounds):
    """Shares of yes, of no, and of pairs not asked."""
    rng = np.random.default_rng(20241022)
    found = [paired_verdict(draw(rng), alpha=ALPHA, **bounds) for _ in range(RUNS)]
    yes, no = (sum(one.holds is holds for one in found) / RUNS for holds in (True, False))
    return yes, no, 1 - sum(one.pairs for one in found) / (RUNS * CASES)


def scores(mean, spread):
    """Differences of scores within -1..1."""
    return lambda rng: np.clip(rng.normal(mean, spread, CASES), -1, 1)


def costs(ratio):
    """Nine tenths of the first's cost less the other's."""

    def draw(rng):
        first, other = rng.lognormal(-0.045, 0.3, (2, CASES))
        return 0.9 * np.minimum(first, MOST) - ratio * np.minimum(other, MOST)

    return draw


def main():
    """Both claims under each truth."""
    print(
        f"# Stopping an evaluation early\n\n{RUNS:,} simulated runs of {CASES} cases each, error bound {ALPHA:.1%}.\n"
    )
    print("| claim | truth | yes | no | cases saved |\n|---|---|---|---|---|")
    failed = []
    cells = [("not worse by 2 points", name, scores(mean, sd), {"margin": -0.02, "low": -1.0, "high": 1.0}, holds)
             for name, (mean, sd, holds) in SCORES.items()]  # fmt: skip
    cells += [("10% cheaper", name, costs(ratio), {"margin": 0.0, "low": -MOST * ratio, "high": 0.9 * MOST}, holds)
              for name, (ratio, holds) in COSTS.items()]  # fmt: skip
    for claim, name, draw, bounds, holds in cells:
        yes, no, saved = simulated(draw, **bounds)
        print(f"| {claim} | {name} | {yes:.1%} | {no:.1%} | {saved:.0%} |")
        wrong = max(yes, no) if holds is None else no if holds else yes
        clear = name in ("5 points better, sd 15", "12 points worse, sd 15", "half", "a tenth")
        if wrong > ALPHA or (clear and saved < 0.4):
            failed.append(name)
    print(f"\n{'Held' if not failed else 'NOT held: ' + ', '.join(failed)}: wrong verdicts in at most {ALPHA:.1%} "
          "of the runs, and at least 40% of the cases saved where the difference is clear.")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
