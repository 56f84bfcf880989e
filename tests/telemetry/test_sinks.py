"""What leaves this process for each backend, taken off the wire."""

import resource
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harness.errors import ConfigError, UsageError
from harness.records import load_json_exact
from harness.store import Spool, open_store
from harness.telemetry import (
    METRICS,
    DogStatsdSink,
    JsonlSink,
    MetricKind,
    PrometheusSink,
    RequestEvent,
    StoreSink,
    configured_sinks,
    observations,
)
from harness.telemetry.catalogue import COMPLETED_TAGS, FAILED_TAGS
from harness.telemetry.dogstatsd import MAX_DATAGRAM_BYTES
from tests.telemetry.events import DRAFTED, FAILED, REPAIRED, unpriced


def test_the_metric_names_are_a_public_contract() -> None:
    assert {metric.name: (metric.kind, metric.unit) for metric in METRICS} == {
        "olumi.assist.draft.cost_usd": (MetricKind.DISTRIBUTION, "usd"),
        "olumi.assist.draft.draft_cost_usd": (MetricKind.DISTRIBUTION, "usd"),
        "olumi.assist.draft.repair_cost_usd": (MetricKind.DISTRIBUTION, "usd"),
        "olumi.assist.draft.latency_ms": (MetricKind.DISTRIBUTION, "ms"),
        "olumi.assist.draft.completed": (MetricKind.COUNT, "request"),
        "olumi.assist.draft.failed": (MetricKind.COUNT, "request"),
    }


@pytest.mark.parametrize("event", [DRAFTED, REPAIRED, FAILED, unpriced()])
def test_every_observation_carries_exactly_its_metric_s_tags(event: RequestEvent) -> None:
    for seen in observations(event):
        assert tuple(seen.tags) == seen.metric.tags


def test_an_unknown_cost_adds_nothing() -> None:
    assert {seen.metric.name.rsplit(".", 1)[1] for seen in observations(unpriced())} == {
        "latency_ms",
        "completed",
    }


def captured(*events: RequestEvent) -> list[tuple[str, str, str, dict[str, str]]]:
    """(name, value, type, tags) of every line that a real UDP socket received."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(5)
        sink = DogStatsdSink("127.0.0.1", agent.getsockname()[1], service="svc", env="staging")
        lines: list[str] = []
        for event in events:
            sink.emit(event)
            while len(lines) < sum(len(observations(e)) for e in events[: events.index(event) + 1]):
                datagram = agent.recv(65_536)
                assert len(datagram) <= MAX_DATAGRAM_BYTES
                lines += datagram.decode("ascii").split("\n")
        sink.close()
    parsed = []
    for line in lines:
        head, kind, tags = line.split("|")
        name, value = head.split(":")
        parsed.append(
            (name, value, kind, dict(tag.split(":", 1) for tag in tags.removeprefix("#").split(",")))
        )
    return parsed


def test_dogstatsd_sends_the_whole_catalogue_with_its_tags() -> None:
    lines = captured(REPAIRED, FAILED)
    assert {name for name, _, _, _ in lines} == {metric.name for metric in METRICS}
    by_name = {name: (value, kind, tags) for name, value, kind, tags in lines}
    assert by_name["olumi.assist.draft.cost_usd"][:2] == ("0.02886", "d")
    assert by_name["olumi.assist.draft.repair_cost_usd"][:2] == ("0.00036", "d")
    assert by_name["olumi.assist.draft.completed"][:2] == ("1", "c")
    for name, (_, _, tags) in by_name.items():
        expected = FAILED_TAGS if name.endswith("failed") else COMPLETED_TAGS
        assert set(tags) == {*expected, "service", "env"}
    assert by_name["olumi.assist.draft.repair_cost_usd"][2]["provider"] == "openai"
    assert by_name["olumi.assist.draft.cost_usd"][2]["mixed_providers"] == "true"


def test_a_tag_cannot_break_out_of_its_line() -> None:
    lines = captured(replace(DRAFTED, strategy="a|c\n#evil:1,x"))
    assert {tags["strategy"] for _, _, _, tags in lines} == {"a_c__evil:1_x"}


def test_dogstatsd_without_an_agent_costs_nothing_but_drops() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sink = DogStatsdSink("127.0.0.1", port)
    for _ in range(3):
        try:
            sink.emit(DRAFTED)
        except OSError:
            continue
    sink.close()


def test_jsonl_writes_the_event_s_own_schema(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "events.jsonl"
    sink = JsonlSink(path)
    for event in (DRAFTED, REPAIRED, FAILED):
        sink.emit(event)
    sink.close()
    lines = [load_json_exact(line) for line in path.read_bytes().splitlines()]
    assert [line["event"] for line in lines] == ["assist.draft.completed"] * 2 + ["assist.draft.failed"]
    assert lines[1]["cost_usd"] == Decimal("0.02886")
    assert "repair_source" not in lines[0]


def test_jsonl_cut_short_by_a_full_disk_loses_one_line_only(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = JsonlSink(path)
    sink.emit(DRAFTED)
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
        with pytest.raises(OSError, match="cut short"):
            sink.emit(DRAFTED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    sink.emit(REPAIRED)
    sink.close()
    first, torn, last = path.read_bytes().splitlines()
    assert len(torn) == 100
    assert load_json_exact(first)["cost_usd"] == Decimal("0.0285")
    assert load_json_exact(last)["cost_usd"] == Decimal("0.02886")


def test_the_store_sink_writes_rows(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        StoreSink(spool).emit(REPAIRED)
    with open_store(tmp_path).snapshot() as view:
        (row,) = view.dicts("SELECT * FROM events")
        (request,) = view.dicts("SELECT * FROM requests")
    assert row["name"] == "assist.draft.completed"
    assert request["cost_usd"] == Decimal("0.02886")


def test_prometheus_adds_up_to_the_digit() -> None:
    sink = PrometheusSink({"harness_x": ("Something.", lambda: 3.0)})
    for event in (DRAFTED, REPAIRED, REPAIRED, FAILED, unpriced()):
        sink.emit(event)
    values: dict[str, float] = {}
    for line in sink.text().decode().splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            values[name.partition("{")[0]] = values.get(name.partition("{")[0], 0.0) + float(value)
    assert values["olumi_assist_draft_cost_usd_sum"] == float(Decimal("0.0285") + 2 * Decimal("0.02886"))
    assert values["olumi_assist_draft_cost_usd_count"] == 3
    assert values["olumi_assist_draft_completed_total"] == 4
    assert values["olumi_assist_draft_failed_total"] == 1
    assert values["harness_x"] == 3


class _Collector(BaseHTTPRequestHandler):
    received: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        self.received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    _Collector.received = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", _Collector.received
    server.shutdown()
    server.server_close()


def test_otlp_carries_the_genai_convention(
    collector: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    (sink,) = configured_sinks({"OTEL_EXPORTER_OTLP_ENDPOINT": url, "DD_SERVICE": "svc"})
    sink.emit(REPAIRED)
    sink.emit(FAILED)
    sink.close()
    traces = ExportTraceServiceRequest()
    for path, body in received:
        if path == "/v1/traces":
            traces.MergeFromString(body)
    spans = [span for r in traces.resource_spans for scope in r.scope_spans for span in scope.spans]
    assert sorted(span.name for span in spans) == [
        "assist.draft",
        "assist.draft",
        "chat claude-3-5-sonnet-20241022",
        "chat claude-3-5-sonnet-20241022",
        "chat gpt-4o-mini",
    ]
    repair = next(span for span in spans if span.name == "chat gpt-4o-mini")
    attributes = {a.key: a.value for a in repair.attributes}
    assert attributes["gen_ai.provider.name"].string_value == "openai"
    assert attributes["gen_ai.usage.input_tokens"].int_value == 800
    assert (repair.end_time_unix_nano - repair.start_time_unix_nano) / 1e6 == pytest.approx(1200)
    metrics = ExportMetricsServiceRequest()
    for path, body in received:
        if path == "/v1/metrics":
            metrics.MergeFromString(body)
    names = {m.name for r in metrics.resource_metrics for s in r.scope_metrics for m in s.metrics}
    assert names == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


def test_the_environment_chooses_the_sinks(tmp_path: Path) -> None:
    assert configured_sinks({}) == []
    sinks = configured_sinks({"DD_AGENT_HOST": "localhost"}, jsonl=tmp_path / "e.jsonl")
    assert [sink.name for sink in sinks] == ["jsonl", "dogstatsd"]
    for sink in sinks:
        sink.close()
    with pytest.raises(ConfigError, match="DD_AGENT_PORT"):
        configured_sinks({"DD_AGENT_HOST": "h", "DD_AGENT_PORT": "many"})
    with pytest.raises(UsageError, match="/proc/x/y"):
        configured_sinks({}, jsonl=Path("/proc/x/y"))
