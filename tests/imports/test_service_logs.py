"""A service's own log: its events, and what its other lines say of the same requests."""

import json
from decimal import Decimal
from pathlib import Path

from typer.testing import CliRunner

from harness.cli.ingest import app
from tests.imports.reference_log import reference_log
from tests.imports.stored import rows

RUNNER = CliRunner()


def test_a_value_that_no_column_takes_is_counted_by_name(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    event = {"event": "assist.draft.completed", "ts": "2026-11-23T12:00:00Z", "request_id": "q1"}
    log.write_text(json.dumps({**event, "latency_ms": "abc", "costUsd": 0.5}) + "\n")
    result = RUNNER.invoke(app, [str(log), "--store", str(tmp_path / "store"), "--json"])
    assert json.loads(result.output)["unreadable"] == {"latency_ms": 1, "costUsd": 1}


def test_an_event_without_a_cost_is_priced_at_its_own_time(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    event = {"event": "assist.draft.completed", "ts": "2026-11-23T12:00:00Z", "request_id": "q1"}
    told = {
        "draft_source": "openai",
        "draft_model": "gpt-4o-mini",
        "draft_input_tokens": 2000,
        "draft_output_tokens": 400,
    }
    log.write_text(json.dumps({**event, **told}) + "\n")
    assert RUNNER.invoke(app, [str(log), "--store", str(tmp_path / "store")]).exit_code == 0
    assert rows(tmp_path / "store", "SELECT cost_usd, draft_cost_usd FROM requests") == [
        (Decimal("0.00054"),) * 2
    ]
    ((source,),) = rows(tmp_path / "store", "SELECT payload->>'draft_price_source' FROM events")
    assert source.startswith("genai-prices")


def test_the_reference_services_own_log(tmp_path: Path) -> None:
    """Failures stand in its access lines and in SSE errors alone; latency and id in its boundary lines."""
    lines, truth = reference_log(requests=120, failures=14, per_s=5)
    log = tmp_path / "service.log"
    log.write_text("\n".join(lines) + "\n")
    result = RUNNER.invoke(
        app, [str(log), "--environment", "production", "--store", str(tmp_path / "store"), "--json"]
    )
    report = json.loads(result.output)
    assert (report["events"], report["access_failures"]) == (120, 14)
    found = rows(
        tmp_path / "store", "SELECT request_id, status = 'ok', round(server_ms) FROM requests ORDER BY 1"
    )
    assert found == sorted((row.request_id, not row.failed, float(row.took_ms)) for row in truth)
    ((streamed,),) = rows(
        tmp_path / "store", "SELECT count(*) FROM requests WHERE status != 'ok' AND http_status = 200"
    )
    assert streamed == sum(row.streamed for row in truth) > 0
