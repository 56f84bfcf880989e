"""How the store grows: generate, ingest and query 0.1 to 1 million requests, with the Overview's own queries.

Example: python -m benchmarks.store.million --sizes 100000 300000 1000000
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.store.generate import write_store
from benchmarks.store.pages import PAGES, REPEATS, Cost, count_cost, page_cost, timed, together
from harness.store import ingest, open_store
from harness.store.inspection import store_stats

PERCENTILES = """
SELECT draft_source, count(*), quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FROM requests
WHERE warmup IS NOT TRUE AND status = 'ok' GROUP BY draft_source
"""


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--calls", action="store_true", help="with one or two calls a request")
    options = parser.parse_args()
    columns = (
        "requests",
        "load",
        "ingest s",
        "ingest CPU s",
        "us a request",
        "database MiB",
        "count ms CPU",
        "percentiles by provider ms",
        "Overview's queries s",
        "Overview's queries s CPU",
        "CPU / count",
    )
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="harness-million-") as folder:
            print(f"| {' | '.join(measure(Path(folder), size, calls=options.calls))} |", flush=True)


def measure(store: Path, size: int, *, calls: bool) -> list[str]:
    """One row of the table."""
    write_store(store, size, calls=calls)
    _, ingested = timed(lambda: ingest(store))
    count, by_provider = count_cost(store), percentile_cost(store)
    rounds = [together(page_cost(store, PAGES["overview"], repeats=1)) for _ in range(REPEATS)]
    overview = min(rounds, key=lambda cost: cost.cpu_s)
    return [
        f"{size:,}",
        f"{os.getloadavg()[0]:.1f}",
        f"{ingested.wall_s:.1f}",
        f"{ingested.cpu_s:.1f}",
        f"{ingested.wall_s / size * 1e6:.1f}",
        f"{store_stats(store).database_bytes / 2**20:.0f}",
        f"{count.cpu_s * 1e3:.0f}",
        f"{by_provider.wall_s * 1e3:.0f}",
        f"{min(cost.wall_s for cost in rounds):.2f}",
        f"{overview.cpu_s:.2f}",
        f"{overview.cpu_s / count.cpu_s:.0f}",
    ]


def percentile_cost(store: Path) -> Cost:
    """Exact p50, p95 and p99 by provider, the least wall time of several."""
    found = []
    for _ in range(REPEATS):
        with open_store(store).snapshot() as view:
            found.append(timed(partial(view.rows, PERCENTILES))[1])
    return min(found, key=lambda cost: cost.wall_s)


if __name__ == "__main__":
    main()
