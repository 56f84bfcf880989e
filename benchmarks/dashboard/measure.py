"""What each page of the dashboard takes over a store of any size: its queries, and the page in a browser.

Example: python -m benchmarks.dashboard.measure --store /tmp/big --kind ingest --browser
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.store.pages import PAGES, SCOPE, one_page, together
from dashboard.frame.memory import settle
from dashboard.frame.scope import Scope
from harness.processes.children import ChildGroup
from harness.processes.dashboard import HOST, dashboard_command, dashboard_env, free_port
from harness.processes.pictures import QUIET, chromium

COLD_S, WARM_S, SERVER_MB, PAGE_BYTES = 5.0, 1.5, 1500, 1_000_000
SLOWEST = 3
_READY_MS = 120_000
_DONE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """One page's queries in a process of their own, all of them worked out anew both times.

    Attributes:
        cold_s, warm_s: wall seconds of the first time and the second, in which the columns are in memory.
        cold_cpu_s, warm_cpu_s: CPU seconds of all threads.
        memory_mb: most that the process held.
        slowest: the dearest queries of the second time, CPU seconds each.
    """

    cold_s: float
    warm_s: float
    cold_cpu_s: float
    warm_cpu_s: float
    memory_mb: float
    slowest: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One page in the browser: seconds until nothing runs any more, and bytes received, its scripts known."""

    first_s: float
    again_s: float
    received: int


def main() -> int:
    """Print a table a part; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--kind", default=SCOPE.kind, help="of runs, which the pages are about")
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES))
    parser.add_argument("--browser", action="store_true", help="measure the pages themselves, too")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(_queries(options.store, options.kind, options.pages[0]))))
        return 0
    print(f"Goals: {COLD_S:g} s cold, {WARM_S:g} s warm, {SERVER_MB} MB, {PAGE_BYTES / 1e6:g} MB a page.")
    missed = [*_print_queries(options.store, options.kind, options.pages)]
    if options.browser:
        missed += _print_pages(options.store, options.kind, options.pages)
    print("\n" + ("\n".join(f"- **MISSED**: {line}" for line in missed) or "Every goal holds."))
    return 1 if missed else 0


def _print_queries(store: Path, kind: str, pages: list[str]) -> Iterator[str]:
    print("\n| queries of | s cold | s warm | CPU s cold | CPU s warm | MB | dearest, CPU s |")
    print("|---|---|---|---|---|---|---|")
    for page in pages:
        words = [sys.executable, "-m", __spec__.name, "--store", str(store), "--kind", kind]
        done = subprocess.run(
            [*words, "--pages", page, "--one"], check=True, stdout=subprocess.PIPE, env=os.environ
        )
        found = Queries(**json.loads(done.stdout.splitlines()[-1]))
        dearest = ", ".join(f"{name} {cpu_s:.2f}" for name, cpu_s in found.slowest.items())
        times = f"{found.cold_s:.2f} | {found.warm_s:.2f} | {found.cold_cpu_s:.2f} | {found.warm_cpu_s:.2f}"
        print(f"| {page} | {times} | {found.memory_mb:.0f} | {dearest} |", flush=True)
        if found.cold_s > COLD_S or found.warm_s > WARM_S:
            yield f"{page}'s queries take {found.cold_s:.1f} s cold, {found.warm_s:.1f} s warm"
        if found.memory_mb > SERVER_MB:
            yield f"{page}'s queries take {found.memory_mb:.0f} MB"


def _queries(store: Path, kind: str, page: str) -> Queries:
    scope = Scope(kind=kind, mode=SCOPE.mode)
    queries = [tuple(scope if value is SCOPE else value for value in query) for query in PAGES[page]]
    settle()
    cold, warm = one_page(store, queries), one_page(store, queries)
    dearest = sorted(warm, key=lambda name: -warm[name].cpu_s)[:SLOWEST]
    return Queries(
        cold_s=together(cold).wall_s,
        warm_s=together(warm).wall_s,
        cold_cpu_s=together(cold).cpu_s,
        warm_cpu_s=together(warm).cpu_s,
        memory_mb=_peak_mb(os.getpid()),
        slowest={name: warm[name].cpu_s for name in dearest},
    )


def _peak_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc tells no peak memory of {pid}")


def _print_pages(store: Path, kind: str, pages: list[str]) -> list[str]:
    from playwright.sync_api import sync_playwright

    print("\n| page | s first | s again | bytes received |\n|---|---|---|---|")
    missed = []
    port = free_port(0)
    with ChildGroup() as group, sync_playwright() as playwright:
        command = [*dashboard_command(), "--port", str(port)]
        child = group.start("dashboard", command, env=dashboard_env(store), serves=True)
        child.wait_port()
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        tab = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        wire = tab.context.new_cdp_session(tab)
        wire.send("Network.enable")
        received = [0]

        def count(size: int) -> None:
            received[0] += size

        wire.on("Network.dataReceived", lambda event: count(event["encodedDataLength"]))
        wire.on("Network.webSocketFrameReceived", lambda e: count(len(e["response"]["payloadData"])))
        tab.goto(f"http://{HOST}:{port}/alerts")  # the scripts, which every page shares
        tab.wait_for_selector(_DONE, timeout=_READY_MS)
        for page in pages:
            address = f"http://{HOST}:{port}/{'' if page == 'overview' else page}?kind={kind}"
            taken = []
            for _ in range(2):
                received[0] = 0
                begun = time.perf_counter()
                tab.goto(address)
                tab.wait_for_selector("h1", timeout=_READY_MS)
                tab.wait_for_selector(_DONE, timeout=_READY_MS)
                taken.append(time.perf_counter() - begun)
            found = Shown(first_s=taken[0], again_s=taken[1], received=received[0])
            print(f"| {page} | {found.first_s:.2f} | {found.again_s:.2f} | {found.received:,} |", flush=True)
            if found.received > PAGE_BYTES:
                missed.append(f"{page} sends {found.received:,} bytes")
        memory_mb = _peak_mb(child.process.pid)
        print(f"\nThe server took {memory_mb:.0f} MB at most.")
        if memory_mb > SERVER_MB:
            missed.append(f"the server took {memory_mb:.0f} MB")
        browser.close()
    return missed


if __name__ == "__main__":
    sys.exit(main())
