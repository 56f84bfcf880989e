"""The product under damage, deploys and load, beside the commit before this round (79eddcd).

Bad inputs: bytes flipped, cut, repeated and put into requests, providers' answers, logs, URLs and variables; each is
answered or refused in one sentence, nothing crashes, no secret shows. Rolling restart: two services behind a small proxy that
asks the other on a refused connection or a draining 503. Load: 500 clients at once, 1% of each upstream fault; every
request is answered, and the store holds exactly what the emulator's ledger says. CPU: requests a CPU second of `harness serve`
before the emulator at zero latency, the two trees in turn.

Run: python -m tests.campaigns.campaign_hardening [share]: a share of 0.1 tries a tenth of the load, for a busy machine.
"""

import asyncio
import io
import json
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness.store import ingest, open_store
from tests.campaigns import hardening_inputs as inputs
from tests.campaigns import hardening_load as load

HERE = Path(__file__).resolve().parents[2]
BEFORE = "79eddcd"
SHARE = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
REQUESTS, REQUESTS_BEFORE, CLIENTS = int(20_000 * SHARE), int(4_000 * SHARE), 500
PAIRS, OF_EACH = 3, int(1_500 * SHARE)
RESTART_RPS, RESTART_S = max(5, int(50 * SHARE)), 30
MOST_MB = 300
_PREFIXES = {
    "service": "service",
    "upstream": "upstream",
    "logs": "logs",
    "URLs and proxies": ("urls", "proxies"),
    "environment": "environment",
}


def main() -> int:
    """Print the tables; 1 when anything does not hold."""
    began = time.monotonic()
    found: list[str] = []
    print("# Hardening\n\n" + (__doc__ or "").split("\n\nRun:")[0])
    with tempfile.TemporaryDirectory(prefix="harness-before-") as name:
        before = _before(Path(name))
        for step in (
            lambda: _inputs(found),
            lambda: _restarts(before, found),
            lambda: _cpu(before),
            lambda: _load(before, found),
        ):
            step()
            sys.stdout.flush()
    print(f"\n{time.monotonic() - began:.0f} seconds.")
    for sentence in found[:40]:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


def _before(folder: Path) -> Path | None:
    """The tree of the commit before; None where the history is not there."""
    done = subprocess.run(["git", "archive", BEFORE], cwd=HERE, capture_output=True, check=False)
    if done.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tree:
        tree.extractall(folder, filter="data")
    return folder


def _inputs(found: list[str]) -> None:
    rng = random.Random(18)
    with tempfile.TemporaryDirectory(prefix="harness-logs-") as name:
        results = {
            "service": inputs.service(900, rng, found),
            "upstream": inputs.upstream(500, rng, found),
            "logs": inputs.logs(400, rng, found, Path(name)),
            "URLs and proxies": inputs.urls(300, rng, found),
            "environment": inputs.environment(300, rng, found),
        }
    print(
        "\n## Bad inputs\n\n| where | tried | taken or answered | refused | closed | crashes, 500s, secrets |\n|---|---|---|---|---|---|"
    )
    total: Counter[str] = Counter()
    for name, counts in results.items():
        taken = counts["answered"] + counts["read"] + counts["accepted"]
        bad = sum(sentence.startswith(_PREFIXES[name]) for sentence in found)
        print(
            f"| {name} | {counts.total():,} | {taken:,} | {counts['refused']:,} | {counts['closed']:,} | {bad} |"
        )
        total += counts
    print(f"| all | {total.total():,} | | | | {len(found)} |")


def _restarts(before: Path | None, found: list[str]) -> None:
    print(
        f"\n## Rolling restart at {RESTART_RPS} requests/s\n\n| tree | requests | restarts | failed | statuses |\n|---|---|---|---|---|"
    )
    for name, root in (("now", HERE), (BEFORE, before)):
        if root is None:
            print(f"| {name} | not run | | | |")
            continue
        statuses, restarts = asyncio.run(load.rolling_restart(root, HERE, rps=RESTART_RPS, seconds=RESTART_S))
        failed = statuses.total() - statuses[200]
        print(f"| {name} | {statuses.total():,} | {restarts} | {failed:,} | {_told(statuses)} |")
        if root is HERE and failed:
            found.append(f"rolling restart: {failed} failed: {statuses}")


def _told(statuses: Counter[int]) -> str:
    return ", ".join(f"{status or 'none'}: {count:,}" for status, count in sorted(statuses.items()))


def _load(before: Path | None, found: list[str]) -> None:
    print(f"\n## {CLIENTS} clients at once, 1% of each of {len(load.FAULTS)} upstream faults\n")
    print(
        "| tree | requests | statuses | events = requests | calls = ledger | peak MB | MB at a tenth |\n|---|---|---|---|---|---|---|"
    )
    for name, root, count in (("now", HERE, REQUESTS), (BEFORE, before, REQUESTS_BEFORE)):
        if root is None:
            print(f"| {name} | not run | | | | | |")
            continue
        emulator = ["--speed", "50", "--faults", load.ONE_PERCENT]
        with load.pair(root, HERE, emulator) as (service, upstream, folder):
            statuses = asyncio.run(load.burst(service.port, count // 10, CLIENTS))
            early_mb = service.peak_mb()
            statuses += asyncio.run(load.burst(service.port, count - count // 10, CLIENTS))
            peak_mb = service.peak_mb()
            service.stop()
            upstream.stop()
            ingest(folder / "store")
            with open_store(folder / "store").snapshot() as view:
                ((events,),) = view.rows("SELECT count(*) FROM requests")
                kinds = dict(view.rows("SELECT call_id, error_kind FROM calls"))
            lines = map(json.loads, (folder / "ledger").read_text().splitlines())
            ledger = {line["call_id"] for line in lines if line.get("call_id")}
            # What failed before it arrived stands in no ledger: connections refused or not made in time.
            never = {
                call_id for call_id in kinds.keys() - ledger if kinds[call_id] in ("connection", "timeout")
            }
            calls = f"{len(kinds) - len(never):,} = {len(ledger):,}, {len(never)} never arrived"
            same = kinds.keys() - never == ledger
        print(
            f"| {name} | {count:,} | {_told(statuses)} | {events:,} = {count:,} | {calls} | {peak_mb:.0f} | {early_mb:.0f} |"
        )
        if root is HERE:
            if set(statuses) - {200, 502, 503, 504, 429} or events != count or not same:
                found.append(f"load: {statuses}, {events} of {count} requests, {calls} calls")
            if peak_mb > MOST_MB:
                found.append(f"load: {peak_mb:.0f} MB")


def _cpu(before: Path | None) -> None:
    print(
        "\n## Requests a CPU second of the service, emulator at zero latency\n\n| pair | now | 79eddcd | ratio |\n|---|---|---|---|"
    )
    ratios = []
    for number in range(1, PAIRS + 1):
        rates = []
        for root in (HERE, before):
            if root is None:
                print("| not run | | | |")
                return
            with load.pair(root, HERE, ["--speed", "1000000", "--defect-rate", "0"]) as (service, _, _folder):
                asyncio.run(load.burst(service.port, 100, 32))
                before_s = service.cpu_s()
                statuses = asyncio.run(load.burst(service.port, OF_EACH, 32))
                assert statuses == {200: OF_EACH}, statuses
                rates.append(OF_EACH / (service.cpu_s() - before_s))
        ratios.append(rates[0] / rates[1])
        print(f"| {number} | {rates[0]:.0f} | {rates[1]:.0f} | {ratios[-1]:.2f} |")
    print(f"\nMedian ratio {sorted(ratios)[len(ratios) // 2]:.2f}.")


if __name__ == "__main__":
    sys.exit(main())
