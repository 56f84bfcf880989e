"""How the store grows: generate, ingest and query 0.1 to 1 million requests, with the Overview's own queries.

Goals at a million: ingest under 20 s, the Overview's queries together under 0.5 s, percentiles by provider
under 0.1 s, and no more CPU a request than at the smallest size.

Example: python -m benchmarks.store.million --sizes 100000 300000 1000000
"""

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

from benchmarks.store.generate import write_store
from benchmarks.store.pages import PAGES, REPEATS, Cost, count_cost, page_cost, timed, together
from harness.store import ingest, open_store
from harness.store.upkeep.inspection import store_stats

FRAME = ("open a snapshot", "facets")
"""What every page begins with."""

PERCENTILES = """
SELECT draft_source, count(*), quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FROM requests
WHERE warmup IS NOT TRUE AND status = 'ok' GROUP BY draft_source
"""


COLUMNS = (
    "requests",
    "load",
    "ingest s",
    "ingest CPU s",
    "us a request",
    "database MiB",
    "count ms CPU",
    "percentiles by provider ms",
    "Overview's queries s",
    "with sidebar and opening s",
    "CPU s of that",
    "CPU / count",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What a store of one size takes: `page` is the whole page, `overview` less opening and sidebar."""

    requests: int
    ingest: Cost
    count: Cost
    by_provider: Cost
    overview: Cost
    page: Cost
    database_bytes: int

    def row(self) -> str:
        """A line of the table."""
        cells = (
            f"{self.requests:,}",
            f"{os.getloadavg()[0]:.1f}",
            f"{self.ingest.wall_s:.1f}",
            f"{self.ingest.cpu_s:.1f}",
            f"{self.ingest.wall_s / self.requests * 1e6:.1f}",
            f"{self.database_bytes / 2**20:.0f}",
            f"{self.count.cpu_s * 1e3:.0f}",
            f"{self.by_provider.wall_s * 1e3:.0f}",
            f"{self.overview.wall_s:.2f}",
            f"{self.page.wall_s:.2f}",
            f"{self.page.cpu_s:.2f}",
            f"{self.page.cpu_s / self.count.cpu_s:.0f}",
        )
        return f"| {' | '.join(cells)} |"


def main() -> int:
    """Parse the command line and print the table; exit 1 when the goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--calls", action="store_true", help="with one or two calls a request")
    options = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    sizes = []
    for requests in sorted(options.sizes):
        with tempfile.TemporaryDirectory(prefix="harness-million-") as folder:
            sizes.append(measure(Path(folder), requests, calls=options.calls))
        print(sizes[-1].row(), flush=True)
    missed = missed_goals(sizes)
    print(f"\nGoals: {'met' if not missed else 'MISSED: ' + '; '.join(missed)}.")
    return 1 if missed else 0


def missed_goals(sizes: list[Size]) -> list[str]:
    """The goals at a million requests, in proportion for other sizes, and growth that is linear or better."""
    small, big = sizes[0], sizes[-1]
    scale = big.requests / 1_000_000
    found = {
        "ingest": big.ingest.wall_s < 20 * scale,
        "the Overview's queries": big.overview.wall_s < 0.5 * max(scale, 1),
        "percentiles by provider": big.by_provider.wall_s < 0.1 * max(scale, 1),
        # Ten per cent for the machine's own mood.
        "linear growth": all(
            cost(big).cpu_s / big.requests <= 1.1 * cost(small).cpu_s / small.requests
            for cost in (attrgetter("ingest"), attrgetter("overview"))
        ),
    }
    return [name for name, held in found.items() if not held]


def measure(store: Path, requests: int, *, calls: bool) -> Size:
    """Generate, ingest and query one size."""
    write_store(store, requests, calls=calls)
    _, ingested = timed(lambda: ingest(store))
    rounds = [page_cost(store, PAGES["overview"], repeats=1) for _ in range(REPEATS)]
    least = min(rounds, key=lambda costs: together(costs).wall_s)
    return Size(
        requests=requests,
        ingest=ingested,
        count=count_cost(store),
        by_provider=percentile_cost(store),
        overview=together({name: cost for name, cost in least.items() if name not in FRAME}),
        page=together(least),
        database_bytes=store_stats(store).database_bytes,
    )


def percentile_cost(store: Path) -> Cost:
    """Exact p50, p95 and p99 by provider, the least wall time of several."""
    found = []
    for _ in range(REPEATS):
        with open_store(store).snapshot() as view:
            found.append(timed(partial(view.rows, PERCENTILES))[1])
    return min(found, key=lambda cost: cost.wall_s)


if __name__ == "__main__":
    sys.exit(main())
