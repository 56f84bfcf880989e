"""300 requests at realistic latencies: the emulator's ledger, the service, Locust and the store tell one story."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from harness.records import Call, Request
from harness.store import open_store


def allowed_ms(expected_ms: float) -> float:
    """5 ms + 1%."""
    return 5.0 + 0.01 * expected_ms


def latency_errors(
    requests: Sequence[Request], calls: Sequence[Call], ledger: Sequence[dict[str, object]]
) -> list[tuple[float, float]]:
    """(expected, error) of each request, milliseconds: what the emulator really took, plus the service's own."""
    truth = {entry["call_id"]: float(str(entry["finished_ms"])) for entry in ledger}
    by_request: dict[str, list[Call]] = {}
    for call in calls:
        by_request.setdefault(call.request_id, []).append(call)
    errors = []
    for row in requests:
        mine = by_request[row.request_id]
        own_ms = (row.server_ms or 0.0) - sum(call.latency_ms for call in mine)
        expected_ms = own_ms + sum(truth[call.call_id] for call in mine)
        errors.append((expected_ms, abs((row.latency_ms or 0.0) - expected_ms)))
    return errors


def main() -> int:
    """Print the table; exit 1 when a bound is broken."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        ledger_path = folder / "ledger.jsonl"
        options = ["--rps", "10", "--duration", "30", "--store", str(folder), "--ledger", str(ledger_path)]
        subprocess.run(
            [sys.executable, "-m", "harness", "baseline", *options], check=True, capture_output=True
        )
        ledger = [json.loads(line) for line in ledger_path.read_text().splitlines()]
        with open_store(folder).snapshot() as view:
            run = view.run("latest")
            requests = view.requests(run.run_id, include_warmup=True)
            calls = view.calls(run.run_id)
            events = view.dicts("SELECT request_id, payload FROM events WHERE run_id = ?", [run.run_id])
    counted = [row for row in requests if not row.warmup]
    errors = latency_errors(counted, calls, ledger)
    within = sum(error <= allowed_ms(expected) for expected, error in errors) / len(errors)
    worst = max(error - 0.01 * expected for expected, error in errors)
    tokens = [sum(int(entry[name] or 0) for entry in ledger) for name in ("input_tokens", "output_tokens")]
    recorded = [sum(c.input_tokens or 0 for c in calls), sum(c.output_tokens or 0 for c in calls)]
    truth_usd = sum((Decimal(str(entry["cost_usd"])) for entry in ledger), Decimal(0))
    rows_usd = sum((row.cost_usd or Decimal(0) for row in requests), Decimal(0))
    told = (json.loads(event["payload"], parse_float=Decimal) for event in events)
    events_usd = sum((Decimal(str(payload["cost_usd"])) for payload in told), Decimal(0))
    same_ids = {c.call_id for c in calls} == {entry["call_id"] for entry in ledger}
    same_requests = {r.request_id for r in requests} == {e["request_id"] for e in events}
    checks = [
        ("arrivals planned, rows", f"{run.summary['planned']}, {len(counted)}", len(counted) == 300),
        ("call ids: ledger, store", f"{len(ledger)}, {len(calls)}", same_ids and len(calls) == len(ledger)),
        ("request ids: rows, events", f"{len(requests)}, {len(events)}", same_requests),
        ("tokens in and out: ledger, store", f"{tokens}, {recorded}", tokens == recorded),
        (
            "cost: ledger, rows, events",
            f"${truth_usd}, ${rows_usd.normalize()}, ${events_usd.normalize()}",
            truth_usd == rows_usd == events_usd,
        ),
        ("latency within 5 ms + 1% of truth plus service", f"{within:.1%}", within >= 0.99),
        ("worst latency error beyond 1%", f"{worst:.1f} ms", worst <= 50.0),
        ("generator lateness p99", f"{run.summary['lateness_p99_ms']:.2f} ms", not run.summary["suspect"]),
    ]
    print("# One account of 300 requests\n")
    print("| what | figures | holds |\n|---|---|---|")
    for name, figures, holds in checks:
        print(f"| {name} | {figures} | {'yes' if holds else 'NO'} |")
    print("\nLatency is the client's, from the intended start; the truth is the emulator's own clock.")
    return 0 if all(holds for _, _, holds in checks) else 1


if __name__ == "__main__":
    sys.exit(main())
