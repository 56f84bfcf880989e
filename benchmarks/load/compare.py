"""Side by side on one zero-delay loopback target: this harness, plain Locust, bare aiohttp.

    python -m benchmarks.load.compare [requests]

64 requests in flight each. CPU is the generator process's own (user + system, from the kernel's accounts),
less that of the same program sending one request, so that imports do not count.
"""

import contextlib
import math
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from harness.load.plan import PLAN_ENV, LoadPlan
from harness.processes.children import ChildGroup, module_command
from harness.store import ingest, open_store

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IN_FLIGHT = 64
ROUNDS = 3


@dataclass(frozen=True)
class Result:
    """One run of one generator."""

    requests: int
    cpu_s: float
    wall_s: float
    peak_mb: float
    first_request_s: float


class Watcher(threading.Thread):
    """Notes when the target has seen its first request, and the generator's peak memory.

    The kernel's `ru_maxrss` will not do: a child inherits its parent's peak.
    """

    def __init__(self, pid: int, first_file: Path, started: float):
        super().__init__()
        self.first_s = float("nan")
        self.peak_mb = 0.0
        self.done = threading.Event()
        self._status = Path(f"/proc/{pid}/status")
        self._first_file = first_file
        self._begun = started

    def run(self):
        """Look every few milliseconds."""
        while not self.done.wait(0.005):
            if math.isnan(self.first_s) and self._first_file.exists():
                self.first_s = time.perf_counter() - self._begun
            with contextlib.suppress(OSError):
                found = re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())
                if found:
                    self.peak_mb = int(found[1]) / 1024


def run(command: list[str], env: dict[str, str], first_file: Path) -> tuple[Result, str]:
    """Run a generator to its end and ask the kernel what it took."""
    first_file.unlink(missing_ok=True)
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT
    )
    watcher = Watcher(process.pid, first_file, started)
    watcher.start()
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    watcher.done.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(output)
    counted = re.search(r"BENCH (\d+) (\d+)", output)
    return Result(
        requests=int(counted[1]) if counted else 0,
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=wall_s,
        peak_mb=watcher.peak_mb,
        first_request_s=watcher.first_s,
    ), output


def harness_run(url: str, requests: int, folder: Path, first_file: Path) -> Result:
    """This harness: every record durable; counted in the store, not by the generator's word."""
    store = folder / f"store-{time.time_ns()}"
    cases = folder / "cases.jsonl"
    cases.write_text('{"brief": "%s"}\n' % ("x" * 300))
    plan = LoadPlan(
        run_id="run-bench",
        name="bench",
        target=url,
        scenario=str(HERE / "plain.yaml"),
        store_dir=store,
        cases_path=cases,
        users=IN_FLIGHT,
        duration_s=600,
        max_requests=requests,
    )
    path = folder / "plan.json"
    plan.write(path)
    command = module_command(
        "harness.load.locust_main",
        "-f",
        str(ROOT / "scenarios" / "own.py"),
        "--headless",
        "--only-summary",
    )
    result, output = run(command, {PLAN_ENV: str(path)}, first_file)
    ingest(store)
    with open_store(store).snapshot() as view:
        ((stored, ok),) = view.rows("SELECT count(*), count(*) FILTER (status = 'ok') FROM requests")
    if stored != requests or ok != requests:
        raise SystemExit(f"{stored} rows, {ok} ok, of {requests}: {output}")
    return Result(stored, result.cpu_s, result.wall_s, result.peak_mb, result.first_request_s)


def locust_run(url: str, requests: int, _folder: Path, first_file: Path) -> Result:
    """Plain Locust, 64 users at once."""
    options = ["--headless", "--users", str(IN_FLIGHT), "--spawn-rate", str(IN_FLIGHT), "--only-summary"]
    command = [sys.executable, "-m", "locust", "-f", str(HERE / "plain_locust.py"), "--host", url, *options]
    return run(command, {"BENCH_REQUESTS": str(requests)}, first_file)[0]


def aiohttp_run(url: str, requests: int, _folder: Path, first_file: Path) -> Result:
    """A bare aiohttp loop."""
    command = [sys.executable, str(HERE / "plain_aiohttp.py"), url]
    return run(command, {"BENCH_REQUESTS": str(requests)}, first_file)[0]


def per_thousand(full: Result, single: Result) -> float:
    """CPU seconds per 1,000 requests, start-up taken out."""
    return (full.cpu_s - single.cpu_s) / (full.requests - single.requests) * 1000


def main() -> int:
    """Print a Markdown table; exit 1 when the goals are missed."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print(
        f"{requests:,} JSON requests, {IN_FLIGHT} in flight, zero-delay target on loopback; best of {ROUNDS}."
    )
    print(f"{os.cpu_count()} cores, {platform.python_implementation()} {platform.python_version()}.\n")
    print(
        "| generator | requests/s to its exit | CPU s per 1,000 | peak MB | to first request, s | records |"
    )
    print("|---|---|---|---|---|---|")
    goals = True
    with tempfile.TemporaryDirectory() as text, ChildGroup() as group:
        folder = Path(text)
        first_file = folder / "first"
        command = module_command("harness.load.known_target", "--zero-delay", "--first-file", str(first_file))
        target = group.start("target", command, serves=True)
        url = f"http://127.0.0.1:{target.wait_port()}"
        for name, work, kept in (
            ("this harness", harness_run, "all, durable"),
            ("Locust FastHttpUser", locust_run, "none"),
            ("aiohttp, bare loop", aiohttp_run, "none"),
        ):
            single = work(url, 1, folder, first_file)
            rounds = [work(url, requests, folder, first_file) for _ in range(ROUNDS)]
            best = min(rounds, key=lambda item: item.cpu_s)
            cpu = per_thousand(best, single)
            rate = best.requests / (best.wall_s - best.first_request_s)
            first = min(item.first_request_s for item in [single, *rounds])
            print(
                f"| {name} | {rate:,.0f} | {cpu:.3f} | {best.peak_mb:.0f} | {first:.2f} | {kept} |",
                flush=True,
            )
            if work is harness_run:
                goals = cpu <= 0.15 and best.peak_mb < 100 and first < 2
    print(f"\nGoals (0.15 CPU s per 1,000, 100 MB, 2 s): {'met' if goals else 'MISSED'}.")
    return 0 if goals else 1


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    sys.exit(main())
