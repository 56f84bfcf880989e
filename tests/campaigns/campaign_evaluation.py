"""The evaluator's promises: ten kills and resumes, a provider at 50 requests a minute, half a budget."""

import subprocess
import tempfile
import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from harness.records import load_json_exact
from harness.store import open_store
from tests.evaluation.killing import (
    check_paid_once,
    command,
    environment,
    ledger_rows,
    outcomes,
    run_and_kill,
)

KILLS, CONCURRENCY, RPM = 10, 8, 50
KILLED = ["golden", "--cases", 20, "--repeats", 2, "--speed", 10, "--concurrency", CONCURRENCY]


def evaluate(store, *options):
    """One evaluation to its end; its document and the ledger's rows."""
    ledger = store / "ledger.jsonl"
    done = subprocess.run(
        command(*options, "--store", store, "--ledger", ledger, "--json"),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return load_json_exact(done.stdout), ledger_rows(ledger)


def kills(folder):
    """Ten kills of one run, against an uninterrupted one."""
    killed = run_and_kill(folder / "killed", KILLED, kills=KILLS, total=140, seed=7)
    unseen = check_paid_once(killed, concurrency=CONCURRENCY)
    evaluate(folder / "whole", *KILLED)
    with open_store(folder / "whole").snapshot() as view:
        whole = view.requests(view.run().run_id)
    requests = killed.requests()
    equal = outcomes(requests) == outcomes(whole)
    print("## kill -9 and resume\n")
    print("| | |\n|---|---|")
    print(f"| kills at random moments, then resumed | {KILLS} |")
    print(f"| requests of the run | {len(requests)} |")
    print(f"| finished cases paid twice, by the emulator's ledgers | 0 of {len(requests)} |")
    print(f"| cases in flight at a kill, listed as possibly paid twice | {len(killed.in_doubt)} |")
    print(f"| at the most ({KILLS} kills x concurrency {CONCURRENCY}) | {KILLS * CONCURRENCY} |")
    print(f"| calls that the ledgers know and no record does | {unseen} |")
    print(f"| scores, tokens and outcomes equal to an uninterrupted run's | {'yes' if equal else 'NO'} |")
    return equal


def pace(folder):
    """A provider that allows 50 requests a minute."""
    options = ["golden", "--cases", 50, "--repeats", 2, "--strategy", "all-openai", "--rpm", RPM]
    _, rows = evaluate(folder / "pace", *options, "--speed", 20)
    pushed = sum(row["status"] == 429 for row in rows)
    answered = sum(row["status"] == 200 for row in rows)
    sent = [row["received_ns"] for row in rows]
    took_s, ideal_s = (max(sent) - min(sent)) / 1e9, (answered - RPM) * 60 / RPM
    print(f"\n## A provider at {RPM} requests a minute\n")
    print("| | |\n|---|---|")
    print(f"| calls answered | {answered} |")
    print(f"| calls pushed back with 429 | {pushed} ({pushed / len(rows):.1%}) |")
    print(f"| first to last call | {took_s:.1f} s |")
    print(f"| ideal, the first {RPM} at once | {ideal_s:.1f} s |")
    return pushed / len(rows) < 0.10 and took_s < 1.25 * ideal_s


def budget(folder):
    """Half of what the forecast says."""
    whole, _ = evaluate(folder / "forecast", "golden", "--cases", 20, "--speed", 20)
    half = (Decimal(str(whole["forecast"]["cost_usd"])) / 2).quantize(Decimal("0.01"))
    document, rows = evaluate(
        folder / "half", "golden", "--cases", 20, "--speed", 20, "--budget", half, "--yes"
    )
    paid = sum((Decimal(str(row["cost_usd"])) for row in rows), Decimal(0))
    status, caution = document["run"]["status"], document["caution"]
    print("\n## Half the forecast as a budget\n")
    print("| | |\n|---|---|")
    print(f"| forecast | ${whole['forecast']['cost_usd']:.4f} |")
    print(f"| budget | ${half} |")
    print(f"| paid, by the emulator's ledger | ${paid:.4f} |")
    print(f"| the run says | {status}; {caution} |")
    return paid <= half and status == "truncated"


def whole_suite(folder):
    """`harness eval golden --repeats 3` as a user types it."""
    began = time.monotonic()
    document, rows = evaluate(folder / "golden", "golden", "--repeats", 3)
    run = document["run"]
    spent = datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])
    print("\n## `harness eval golden --repeats 3`\n")
    print("| | |\n|---|---|")
    print(f"| requests, calls | {document['planned']}, {len(rows)} |")
    print(f"| run | {spent.total_seconds():.0f} s |")
    print(f"| command, from start to report | {time.monotonic() - began:.0f} s |")
    for found in document["comparisons"]:
        print(f"| verdict | {found['verdict']} |")
    return run["status"] == "completed"


def main() -> int:
    """Print the tables; 1 when a promise is broken."""
    print("# The evaluator: crashes, pace, budget\n")
    with tempfile.TemporaryDirectory(prefix="harness-eval-") as name:
        folder = Path(name)
        for part in ("killed", "whole", "pace", "forecast", "half", "golden"):
            (folder / part).mkdir()
        held = [part(folder) for part in (kills, pace, budget, whole_suite)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    raise SystemExit(main())
