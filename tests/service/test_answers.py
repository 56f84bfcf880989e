"""Headers, telemetry, streams and records of answered requests, with real SDKs and the emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from harness.emulator import EmulatorSettings, FaultRule, RunningEmulator, running_emulator
from harness.orchestration import resolve_routing, resolve_strategy
from harness.records import load_json_exact
from harness.service.recent import RecentIds
from tests.service.running import emulated_env, rows, service, sse

URL = "/assist/draft-graph"
BRIEF = {"brief": "Should we hire two engineers for 240,000 dollars or outsource the project to a vendor?"}
TELEMETRY = {"X-Assist-Telemetry": "1"}


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings(speed=200, defect_rate=0.5)) as running:
        yield running


def hybrid(emulator: RunningEmulator, **options: Any) -> Any:
    env = emulated_env(emulator)
    return service(env, strategy=resolve_strategy(resolve_routing(env), "hybrid"), **options)


@contextmanager
def faulty(rule: FaultRule, store_dir: Path, **options: Any) -> Iterator[httpx2.Client]:
    with (
        running_emulator(EmulatorSettings(speed=200, faults=(rule,))) as emulator,
        hybrid(emulator, store_dir=store_dir, **options) as client,
    ):
        yield client


def test_emulator_service_header_store_and_metrics_agree(emulator: RunningEmulator, tmp_path: Path) -> None:
    events = []
    with hybrid(emulator, store_dir=tmp_path, telemetry=True) as client:
        for n in range(20):
            headers = {**TELEMETRY, "X-Request-Id": f"r{n}", "X-Harness-Run-Id": "run1"}
            response = client.post(URL, json={"brief": f"{BRIEF['brief']} Variant {n}."}, headers=headers)
            assert response.status_code == 200
            assert response.headers["server-timing"].startswith("draft;dur=")
            assert len(response.headers["x-assist-telemetry"]) <= 4096
            events.append(load_json_exact(response.headers["x-assist-telemetry"]))
        metrics = client.get("/metrics").text
        health = client.get("/healthz").json()
    assert health["provider_mode"] == "emulated"
    assert {event["run_id"] for event in events} == {"run1"}
    repaired = [event for event in events if "repair_source" in event]
    assert 0 < len(repaired) < 20
    assert all(event["mixed_providers"] is True for event in repaired)
    calls = rows(tmp_path, "SELECT * FROM calls")
    truth = list(emulator.app.engine.ledger.entries)
    assert {call["call_id"] for call in calls} == {entry.call_id for entry in truth}
    assert sum(call["cost_usd"] for call in calls) == sum(Decimal(e.cost_usd) for e in truth if e.cost_usd)
    assert sum(Decimal(event["cost_usd"]) for event in events) == sum(call["cost_usd"] for call in calls)
    assert sum(event["draft_input_tokens"] + event.get("repair_input_tokens", 0) for event in events) == sum(
        entry.input_tokens or 0 for entry in truth
    )
    stored = rows(tmp_path, "SELECT payload FROM events WHERE name = 'assist.draft.completed'")
    assert sorted(load_json_exact(row["payload"])["request_id"] for row in stored) == sorted(
        f"r{n}" for n in range(20)
    )
    for part in ("", "draft_", "repair_"):
        name = f"olumi_assist_draft_{part}cost_usd_sum"
        shown = sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith(name))
        told = sum(Decimal(event.get(f"{part}cost_usd", 0)) for event in events)
        assert shown == pytest.approx(float(told), abs=1e-12)
        assert told == sum(c["cost_usd"] for c in calls if c["role"].startswith(part.rstrip("_")))


def test_without_being_asked_or_enabled_there_is_no_telemetry(tmp_path: Path) -> None:
    with service(telemetry=True) as client:
        assert "x-assist-telemetry" not in client.post(URL, json=BRIEF).headers
        invalid = client.post(URL, json=BRIEF, headers={**TELEMETRY, "X-Harness-Run-Id": "not valid!"})
        assert load_json_exact(invalid.headers["x-assist-telemetry"])["run_id"] is None
    with service(store_dir=tmp_path) as client:
        response = client.post(URL, json=BRIEF, headers={**TELEMETRY, "X-Harness-Run-Id": "run1"})
        assert "x-assist-telemetry" not in response.headers
    (run,) = rows(tmp_path, "SELECT * FROM runs")
    assert (run["kind"], run["status"], run["provider_mode"]) == ("service", "completed", "fixtures")
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert (request["run_id"], request["status"]) == (run["run_id"], "ok")


def test_a_stream_ends_with_the_very_payload_and_its_telemetry() -> None:
    with service(telemetry=True) as client:
        plain = client.post(URL, json=BRIEF).json()
        by_route = client.post(f"{URL}/stream", json=BRIEF, headers=TELEMETRY)
        by_accept = client.post(URL, json=BRIEF, headers={"Accept": "text/event-stream"})
        refused = client.post(f"{URL}/stream", json={"brief": ""})
    assert by_route.headers["content-type"].startswith("text/event-stream")
    events = sse(by_route.text)
    assert [data["stage"] for name, data in events if name == "stage"] == [
        "DRAFTING",
        "VALIDATING",
        "COMPLETE",
    ]
    assert events[-2][1]["payload"] == plain
    assert events[-1][0] == "telemetry"
    assert "draft" in events[-1][1]["stages_ms"]
    assert sse(by_accept.text)[-1][1]["payload"] == plain
    assert refused.status_code == 400


def test_a_failure_in_mid_stream_is_an_event(tmp_path: Path) -> None:
    with faulty(FaultRule(kind="refusal"), tmp_path) as client:
        events = sse(client.post(f"{URL}/stream", json=BRIEF).text)
    assert events[0] == ("stage", {"stage": "DRAFTING", "provider": "anthropic"})
    assert events[-1][0] == "error"
    assert events[-1][1]["code"] == "UPSTREAM"


@pytest.mark.parametrize(
    ("fault", "status", "code", "kind", "attempts"),
    [
        ("rate_limited", 429, "RATE_LIMITED", "rate_limited", 3),
        ("overloaded", 503, "UPSTREAM", "overloaded", 3),
        ("server_error", 502, "UPSTREAM", "upstream_5xx", 3),
        ("refusal", 502, "UPSTREAM", "content_filter", 1),
        ("cut", 502, "UPSTREAM", "connection", 3),
    ],
)
def test_an_upstream_failure_is_told_and_recorded(
    tmp_path: Path, fault: str, status: int, code: str, kind: str, attempts: int
) -> None:
    with faulty(FaultRule(kind=fault, retry_after_ms=1), tmp_path) as client:
        response = client.post(URL, json=BRIEF, headers={"X-Request-Id": "r1"})
    assert response.status_code == status
    body = response.json()
    assert (body["code"], body["details"]["error_kind"]) == (code, kind)
    calls = rows(tmp_path, "SELECT * FROM calls ORDER BY attempt")
    assert [call["error_kind"] for call in calls] == [kind] * attempts
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert (request["status"], request["http_status"], request["error_kind"]) == ("error", status, kind)


def test_a_provider_that_stalls_is_a_504(tmp_path: Path) -> None:
    rule = FaultRule(kind="stall", delay_ms=60_000)
    with faulty(rule, tmp_path, attempt_timeout_s=0.3, deadline_s=0.5) as client:
        response = client.post(URL, json=BRIEF)
    assert (response.status_code, response.json()["code"]) == (504, "UPSTREAM")
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert (request["status"], request["cost_usd"]) == ("timeout", None)


def test_the_cost_guard_answers_429_without_retry_after(tmp_path: Path) -> None:
    env = {"ANTHROPIC_API_KEY": "k", "COST_MAX_USD": "0.000001"}
    with service(env, store_dir=tmp_path) as client:
        response = client.post(URL, json=BRIEF)
    assert response.status_code == 429
    body = response.json()
    assert (body["code"], body["details"]["reason"]) == ("RATE_LIMITED", "cost_guard")
    assert "retry-after" not in response.headers
    (call,) = rows(tmp_path, "SELECT * FROM calls")
    assert (call["outcome"], call["error_kind"]) == ("refused", "cost_guard")
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert request["status"] == "rejected"


def test_suggest_options_answers_and_is_recorded(tmp_path: Path) -> None:
    with service(store_dir=tmp_path) as client:
        response = client.post("/assist/suggest-options", json={"goal": "Grow revenue by 20% in a year"})
        assert client.post("/assist/suggest-options", json={"goal": ""}).status_code == 400
    assert response.status_code == 200, response.text
    assert 3 <= len(response.json()["options"]) <= 5
    (call,) = rows(tmp_path, "SELECT * FROM calls")
    assert call["role"] == "suggest"
    (request,) = rows(tmp_path, "SELECT * FROM requests")
    assert (request["task"], request["status"]) == ("suggest_options", "ok")


def test_suggest_options_through_the_real_sdk(emulator: RunningEmulator, tmp_path: Path) -> None:
    with hybrid(emulator, store_dir=tmp_path) as client:
        response = client.post("/assist/suggest-options", json={"goal": "Cut churn to 3% by June"})
        events = sse(client.post(f"{URL}/stream", json=BRIEF).text)
    assert response.status_code == 200, response.text
    assert all(2 <= len(option["pros"]) <= 3 for option in response.json()["options"])
    assert events[-1][1]["stage"] == "COMPLETE"
    stored = rows(tmp_path, "SELECT task, cost_usd FROM requests ORDER BY task")
    assert [row["task"] for row in stored] == ["draft_graph", "suggest_options"]
    assert all(row["cost_usd"] > 0 for row in stored)


def test_debug_shows_how_the_answer_came_about() -> None:
    with service() as client:
        debug = client.post(URL, json={**BRIEF, "include_debug": True}).json()["debug"]
    assert debug["calls"][0]["provider"] == "fixtures"
    assert "schema" in " ".join(debug["score_parts"])


def test_a_retry_under_the_same_id_is_a_request_of_its_own(tmp_path: Path) -> None:
    with service(store_dir=tmp_path) as client:
        for _ in range(3):
            response = client.post(URL, json=BRIEF, headers={"X-Request-Id": "same"})
            assert response.headers["x-request-id"] == "same"
    stored = rows(tmp_path, "SELECT request_id FROM requests ORDER BY request_id")
    assert [row["request_id"] for row in stored] == ["same", "same:2", "same:3"]


def test_only_the_latest_ids_are_remembered() -> None:
    recent = RecentIds(remembered=2)
    assert [recent.filed_as(name, None) for name in ("a", "b", "a", "c", "a", "b")] == [
        "a",
        "b",
        "a:2",
        "c",
        "a:3",
        "b",
    ]
    assert recent.filed_as("x" * 128, None) == "x" * 128
    assert recent.filed_as("x" * 128, None) == "x" * 126 + ":2"
    assert recent.filed_as("x" * 128, "run") == "x" * 128


def test_content_is_stored_only_when_asked_for(tmp_path: Path) -> None:
    with service(store_dir=tmp_path / "without") as client:
        client.post(URL, json=BRIEF)
    assert rows(tmp_path / "without", "SELECT * FROM contents") == []
    with service(store_dir=tmp_path / "with", store_content=True) as client:
        client.post(URL, json=BRIEF)
    stored = rows(tmp_path / "with", "SELECT kind, text FROM contents ORDER BY kind DESC")
    assert [row["kind"] for row in stored] == ["prompt", "output"]
    assert "240,000" in stored[0]["text"]


def test_metrics_tell_what_is_pending_and_lost(tmp_path: Path) -> None:
    with service(store_dir=tmp_path) as client:
        client.post(URL, json=BRIEF)
        text = client.get("/metrics").text
    for name in (
        "harness_spool_pending_records",
        "harness_spool_lost_records",
        "harness_sink_dropped_events",
    ):
        assert f"\n{name} " in text
    assert "olumi_assist_draft_completed_total{" in text
    assert 'le="8000.0"' in text


def test_health_names_routes_and_no_secret() -> None:
    canary = "sk-ant-canary-7777"
    with service({"ANTHROPIC_API_KEY": canary, "ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}) as client:
        response = client.get("/healthz")
    body = response.json()
    assert body["ok"] is True
    assert (body["provider"], body["environment"], body["cost_max_usd"]) == ("anthropic", "development", 1.0)
    assert "provider_mode" not in body  # nobody has answered yet
    assert canary not in response.text
