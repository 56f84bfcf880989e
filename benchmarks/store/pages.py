"""What each page of the dashboard asks the store, timed as it asks: one snapshot, nothing known before.

Example: python -m benchmarks.store.pages --store /tmp/big
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from dashboard.frame.memory import settle
from dashboard.frame.scope import Scope
from dashboard.queries.alerts import alert_history, alert_series, alert_states, rules_in_force
from dashboard.queries.cost import forecast, money
from dashboard.queries.costdetail import cost_distribution, cost_over_time
from dashboard.queries.facets import facets
from dashboard.queries.home import alerts_now, change, side_by_side_by, ways_compared
from dashboard.queries.latency import latency_figures
from dashboard.queries.latencydetail import attempts, distributions, slowest, stages, timeline
from dashboard.queries.live import latest_points, live_run
from dashboard.queries.overview import last_gate, run_states, saving, shares
from dashboard.queries.quality import graders, group_quality, weak_cases, weak_requests
from dashboard.queries.runs import attempt_errors, error_groups, gate_history, run_list
from dashboard.queries.savings import mixes, other_prices, ways
from harness.figures import Rows
from harness.store import Snapshot, open_store
from harness.strategies.search import Limits

SCOPE = Scope(kind="baseline", mode="emulated")
LIMIT_MS, VOLUME = 8000.0, 100_000
RULES = rules_in_force().rules
END = datetime(2026, 11, 27, tzinfo=UTC)


def first_other_prices(view: Snapshot, scope: Scope) -> Any:
    """What the page asks of its first way, whose name is the store's."""
    return other_prices(view, scope, ways(view, scope, None, VOLUME).ways[0].name, ())


HEAD: tuple[tuple[Any, ...], ...] = ((facets,), (shares, SCOPE), (run_states, SCOPE))

PAGES: Mapping[str, tuple[tuple[Any, ...], ...]] = {
    "overview": (
        *HEAD,
        (money, SCOPE),
        (latency_figures, SCOPE),
        (saving, SCOPE),
        (last_gate, SCOPE),
        (change, SCOPE),
        (alerts_now, END),
        (timeline, SCOPE),
        (side_by_side_by, SCOPE),
        (ways_compared, SCOPE, "strategy"),
        (cost_over_time, SCOPE),
    ),
    "latency": (
        *HEAD,
        (latency_figures, SCOPE, "provider"),
        (distributions, SCOPE, "provider", LIMIT_MS),
        (timeline, SCOPE),
        (stages, SCOPE),
        (attempts, SCOPE),
        (slowest, SCOPE),
    ),
    "cost": (
        *HEAD,
        (money, SCOPE),
        (forecast, SCOPE, VOLUME),
        (cost_distribution, SCOPE),
        (cost_over_time, SCOPE),
    ),
    "quality": (
        *HEAD,
        (group_quality, SCOPE, "strategy"),
        (group_quality, SCOPE, "all"),
        (group_quality, SCOPE, "provider"),
        (graders, SCOPE),
        (weak_requests, SCOPE),
        (weak_cases, SCOPE),
    ),
    "savings": (
        *HEAD,
        (ways, SCOPE, None, VOLUME),
        (mixes, SCOPE, Limits()),
        (first_other_prices, SCOPE),
    ),
    "runs": ((facets,), (run_list,), (gate_history,), (error_groups, SCOPE), (attempt_errors, SCOPE)),
    "alerts": (
        (facets,),
        (alert_states, END, RULES),
        *((alert_series, rule, END, timedelta(days=1)) for rule in RULES),
        (alert_history,),
    ),
    "live": (
        (facets,),
        (live_run,),
        (shares, SCOPE),
        (money, SCOPE),
        (latency_figures, SCOPE),
        (latest_points, SCOPE),
    ),
}
"""Page -> its queries with their values, in the page's order. A test compares them with what a page reads.

Live asks about one run; here it is asked about all of them, which is dearer.
"""

COUNT = "SELECT count(*) FROM counted"
REPEATS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something took: seconds of CPU on all threads, and seconds of wall time."""

    cpu_s: float
    wall_s: float


def main() -> None:
    """Parse the command line and print what each query of each page takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    count = count_cost(options.store, options.repeats)
    print(f"load {os.getloadavg()[0]:.1f}; counting the selection takes {count.cpu_s * 1e3:.0f} ms of CPU\n")
    print("| page | query | CPU ms | wall ms | CPU / count |\n|---|---|---|---|---|")
    for page in options.pages:
        found = page_cost(options.store, PAGES[page], options.repeats)
        for name, cost in [*found.items(), ("together", together(found))]:
            figures = f"{cost.cpu_s * 1e3:.0f} | {cost.wall_s * 1e3:.0f} | {cost.cpu_s / count.cpu_s:.1f}"
            print(f"| {page} | {name} | {figures} |", flush=True)


def page_cost(store: Path, queries: Sequence[tuple[Any, ...]], repeats: int = REPEATS) -> dict[str, Cost]:
    """What opening a snapshot and each query takes: of the repetition that took the least CPU together.

    Every repetition opens the store anew: no answer is known before. Memory is settled, as in the dashboard.
    """
    settle()
    rounds = [one_page(store, queries) for _ in range(repeats)]
    return min(rounds, key=lambda found: together(found).cpu_s)


def together(found: Mapping[str, Cost]) -> Cost:
    """The sum."""
    return Cost(cpu_s=sum(c.cpu_s for c in found.values()), wall_s=sum(c.wall_s for c in found.values()))


def count_cost(store: Path, repeats: int = REPEATS) -> Cost:
    """What the least query over the selection takes: counting it, where the selection is known."""
    with open_store(store).snapshot() as view:
        rows = Rows(view, SCOPE)
        found = [timed(partial(rows.rows, COUNT))[1] for _ in range(repeats)]
    return min(found, key=lambda cost: cost.cpu_s)


def timed(work: Callable[[], Any]) -> tuple[Any, Cost]:
    """An answer and what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = work()
    return answer, Cost(cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall)


def one_page(store: Path, queries: Sequence[tuple[Any, ...]]) -> dict[str, Cost]:
    """What opening a snapshot and each query takes, this once; nothing is known before."""
    found: dict[str, Cost] = {}
    with ExitStack() as held:
        view, found["open a snapshot"] = timed(lambda: held.enter_context(open_store(store).snapshot()))
        for query, *values in queries:
            _, cost = timed(partial(query, view, *values))
            shown = [value for value in values if value in ("provider", "strategy", "all")]
            name = " ".join([query.__name__, *shown])
            found[name] = together({"before": found.get(name, _NOTHING), "this": cost})
    return found


_NOTHING = Cost(cpu_s=0.0, wall_s=0.0)


if __name__ == "__main__":
    main()
