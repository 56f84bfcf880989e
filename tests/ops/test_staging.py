"""The whole path for a staging service that knows nothing of us: baseline, its log, join, gate."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from harness.store import open_store
from tests.load.target import running_target


def harness(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *arguments, "--store", str(store)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_a_service_without_telemetry_gets_its_cost_and_tiers_from_its_log(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with running_target() as target:
        ran = harness(store, "baseline", "--target", target.url, "--rps", "40", "--duration", "1.5", "--json")
        seen = [request_id for request_id, _, _ in target.seen]
    assert ran.returncode == 0, ran.stderr
    limits = ("gate", "latest", "--max-cost-per-request", "0.05", "--min-high-tier", "0.5", "--json")
    before = harness(store, *limits)
    assert before.returncode == 3, before.stdout
    checks = {check["name"]: check["sentence"] for check in json.loads(before.stdout)["checks"]}
    assert any("cost" in name for name in checks), checks

    log = tmp_path / "staging.log"
    log.write_text("".join(pino_line(request_id, index) for index, request_id in enumerate(seen)))
    joined = harness(store, "ingest", str(log), "--join", "latest", "--json")
    report = json.loads(joined.stdout)
    assert (report["joined"], report["unmatched"], report["bad_lines"]) == (60, 1, 0)
    assert json.loads(harness(store, "ingest", str(log), "--join", "latest", "--json").stdout)["lines"] == 0

    with open_store(store).snapshot() as view:
        requests = view.requests(view.run("latest").run_id)
    assert {request.cost_usd for request in requests} == {Decimal("0.02886")}
    assert {request.repair_source for request in requests} == {"openai"}
    after = harness(store, *limits)
    assert after.returncode == 0, after.stdout
    tight = harness(store, "gate", "latest", "--max-cost-per-request", "0.02", "--json")
    assert tight.returncode == 1, tight.stdout


def pino_line(request_id: str | None, index: int) -> str:
    line = {
        "level": 30,
        "time": int(datetime.now(UTC).timestamp() * 1000),
        "msg": "assist.draft.completed",
        "request_id": request_id if index else "somebody-else",
        "latency_ms": 1.0,
        "draft_source": "anthropic",
        "draft_cost_usd": 0.0285,
        "repair_source": "openai",
        "repair_cost_usd": 0.00036,
        "cost_usd": 0.02886,
        "quality_tier": "high",
        "team": "pricing",
    }
    return json.dumps(line) + "\n"
