"""Does the search for a mix claim an advantage only where there is one? Simulated tables with a known truth.

Prints Markdown; exits 1 when a claim does not hold. Seeded: the same tables every time.
"""

import sys

import numpy as np

from harness.strategies.checkers import ConfidenceChecker
from harness.strategies.policies import Cascade
from harness.strategies.search import Limits, searched
from tests.strategies.test_learning import advantage, learnt, told
from tests.strategies.test_search import STRONG, WEAK, routers, table

TABLES = 400
MIXES = 1000
CASES = 300
FAILED: list[str] = []


def hold(claim, true):
    """Note a claim; a false one fails the campaign."""
    print(f"- {'holds' if true else '**DOES NOT HOLD**'}: {claim}")
    if not true:
        FAILED.append(claim)


def alarms(rng, policies, tables, **world):
    """Tables in which the best mix is called better than chance."""
    found = 0
    for _ in range(tables):
        limits = Limits(min_high_tier=0.55)
        search = searched(table(rng, CASES, **world), policies(rng), limits, judge_p95=False)
        found += search.best is not None and search.mixes[search.best].control.beaten
    return found


def main():
    """Run the campaign."""
    rng = np.random.default_rng(20261130)
    cascade = [Cascade(first=WEAK, then=STRONG, checker=ConfidenceChecker(0.5))]
    one = alarms(rng, lambda _: cascade, TABLES)
    many = alarms(rng, lambda own: routers(own, MIXES), TABLES)

    def knowing(weak):
        return np.clip(0.35 + 0.3 * weak + 0.1 * rng.normal(size=len(weak)), 0, 1)

    seen = alarms(rng, lambda _: cascade, TABLES, confidence=knowing)
    carried = sum(advantage(learnt(told(rng, CASES, carried=True))) for _ in range(TABLES))
    idle = sum(advantage(learnt(told(rng, CASES, carried=False))) for _ in range(TABLES))
    print(f"| tables of {CASES} cases | mixes looked at | called better than chance |\n|---|---|---|")
    print(f"| a confidence that knows nothing | 1 | {one / TABLES:.1%} |")
    print(f"| routers that know nothing | {MIXES:,} | {many / TABLES:.1%} |")
    print(f"| a confidence that knows something | 1 | {seen / TABLES:.1%} |")
    print(f"| a learned router, texts that tell nothing | 9 | {idle / TABLES:.1%} |")
    print(f"| a learned router, texts whose length tells | 9 | {carried / TABLES:.1%} |\n")
    hold(f"no advantage is said in at least 95% of {TABLES} tables without one", one <= 0.05 * TABLES)
    hold(f"nor with the best of {MIXES:,} mixes", many <= 0.05 * TABLES)
    hold("an advantage is seen in at least 90% of the tables that have one", seen >= 0.9 * TABLES)
    hold(
        "a learned router is recommended in at most 5% of the tables where texts tell nothing",
        idle <= 0.05 * TABLES,
    )
    hold("and in at least 90% of those where their length tells", carried >= 0.9 * TABLES)
    return bool(FAILED)


if __name__ == "__main__":
    sys.exit(main())
