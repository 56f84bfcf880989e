"""How the store grows: generate, ingest and query 0.1 to 1 million requests, with the Overview's own queries.

Example: python -m benchmarks.store.million --sizes 100000 300000 1000000
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.store.generate import write_store
from dashboard.queries.cost import money
from dashboard.queries.latency import latency_figures
from dashboard.queries.overview import last_gate, run_states, saving, shares
from dashboard.scope import Scope
from harness.store import ingest, open_store
from harness.store.inspection import store_stats

OVERVIEW = (shares, latency_figures, money, saving, last_gate, run_states)
SCOPE = Scope(kind="baseline", mode="emulated")
PERCENTILES = """
SELECT draft_source, count(*), quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FROM requests
WHERE warmup IS NOT TRUE AND status = 'ok' GROUP BY draft_source
"""
REPEATS = 5


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--calls", action="store_true", help="with one or two calls a request")
    options = parser.parse_args()
    columns = (
        "requests",
        "ingest s",
        "ingest CPU s",
        "us a request",
        "database MiB",
        "open a snapshot ms",
        "percentiles by provider ms",
        "Overview's queries s",
    )
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory(prefix="harness-million-") as folder:
            print(f"| {' | '.join(measure(Path(folder), size, calls=options.calls))} |", flush=True)


def measure(store: Path, size: int, *, calls: bool) -> list[str]:
    """One row of the table."""
    write_store(store, size, calls=calls)
    wall, cpu = time.perf_counter(), time.process_time()
    ingest(store)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    opened = open_store(store)
    percentiles = []
    for _ in range(REPEATS):
        with opened.snapshot() as view:
            percentiles.append(timed(view.rows, PERCENTILES))

    def open_one() -> None:
        with opened.snapshot():
            pass

    def overview() -> None:
        for query in OVERVIEW:
            with opened.snapshot() as view:
                query(view, SCOPE)

    snapshot_s = min(timed(open_one) for _ in range(REPEATS))
    overview_s = min(timed(overview) for _ in range(REPEATS))
    return [
        f"{size:,}",
        f"{wall:.1f}",
        f"{cpu:.1f}",
        f"{wall / size * 1e6:.1f}",
        f"{store_stats(store).database_bytes / 2**20:.0f}",
        f"{snapshot_s * 1e3:.0f}",
        f"{min(percentiles) * 1e3:.0f}",
        f"{overview_s:.2f}",
    ]


def timed(work: Callable[..., Any], *values: Any) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work(*values)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
