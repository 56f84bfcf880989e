"""What Datadog is given: valid for its own client, true to what the sink sends, and pushed once."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor
from typer.testing import CliRunner

from harness.alerts import Rule, load_rules
from harness.alerts.datadog_apply import as_model
from harness.alerts.datadog_dashboards import dashboards
from harness.alerts.datadog_monitors import monitor
from harness.alerts.datadog_query import CONSTANT_TAGS, read_monitor, read_query
from harness.cli.export import app
from harness.telemetry.dogstatsd import DogStatsdSink
from tests.telemetry.events import DRAFTED, FAILED, REPAIRED

RUNNER = CliRunner()
MONITORS = {rule.name: monitor(rule) for rule in load_rules()}
QUERIES = [
    query["query"]
    for board in dashboards()
    for widget in board["widgets"]
    for request in widget["definition"]["requests"]
    for query in request["queries"]
]


@pytest.mark.parametrize("board", dashboards(), ids=lambda board: board["title"])
def test_a_dashboard_is_wholly_understood_by_the_client(board: dict[str, Any]) -> None:
    as_model(board, Dashboard)


@pytest.mark.parametrize("name", MONITORS)
def test_a_monitor_is_wholly_understood_by_the_client(name: str) -> None:
    as_model(MONITORS[name], Monitor)


def test_what_the_client_does_not_know_is_noticed_at_any_depth() -> None:
    board = json.loads(json.dumps(dashboards()[0]))
    board["widgets"][0]["definition"]["requests"][0]["display_type"] = "spaghetti"
    with pytest.raises(ValueError, match=r"unparsed|not a Dashboard"):
        as_model(board, Dashboard)
    with pytest.raises(ValueError, match=r"unparsed|not a Monitor"):
        as_model({**MONITORS["cost_spike"], "type": "guess"}, Monitor)


def test_the_charts_are_the_nine_of_the_specification() -> None:
    costs, performance = dashboards()
    assert (costs["title"], performance["title"]) == ("LLM Cost Tracking", "Provider Performance")
    assert (len(costs["widgets"]), len(performance["widgets"])) == (5, 4)


def test_formulas_name_their_queries() -> None:
    for board in dashboards():
        for widget in board["widgets"]:
            (request,) = widget["definition"]["requests"]
            names = {query["name"] for query in request["queries"]}
            for formula in request["formulas"]:
                words = set(re.findall(r"[a-z][a-z0-9_]*", formula["formula"])) - {"default_zero"}
                assert words <= names
                assert words


def test_the_monitors_are_the_rules() -> None:
    queries = {name: document["query"] for name, document in MONITORS.items()}
    scope = "{environment:production}.as_count()"
    assert queries["cost_spike"] == f"sum(last_1h):sum:olumi.assist.draft.cost_usd{scope} > 5"
    failed = f"default_zero(sum:olumi.assist.draft.failed{scope})"
    answered = f"default_zero(sum:olumi.assist.draft.completed{scope})"
    assert queries["api_error_ratio"] == f"sum(last_15m):{failed} / ({answered} + {failed}) > 0.05"
    assert "(draft_source:fixtures OR repair_source:fixtures" in queries["fixtures_in_production"]
    assert queries["mixed_ratio_change"].startswith("sum(last_1h):abs(")
    assert queries["mixed_ratio_change"].endswith(") > 0.2")
    assert {document["options"]["thresholds"]["critical"] for document in MONITORS.values()} == {
        5.0,
        0.05,
        0.0,
        0.2,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "sum:olumi.assist.draft.spend{*}",
        "p95:olumi.assist.draft.completed{*}",
        "sum:olumi.assist.draft.completed{colour:red}",
        "sum:olumi.assist.draft.completed{*} by {colour}",
        "sum:olumi.assist.draft.completed{provider:a AND}",
        "sum:olumi.assist.draft.completed{(provider:a}",
        "sum:olumi.assist.draft.completed{*",
        "sum:olumi.assist.draft.completed{*} +",
        "median:olumi.assist.draft.cost_usd{*}",
        "sqrt(sum:olumi.assist.draft.completed{*})",
        "sum:olumi.assist.draft.completed{*}.as_county()",
    ],
)
def test_the_grammar_refuses(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_query(wrong)


def test_every_metric_and_tag_that_is_queried_was_sent_over_udp() -> None:
    sent: dict[str, set[str]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(5)
        sink = DogStatsdSink("127.0.0.1", agent.getsockname()[1], service="assist", env="production")
        for event in (DRAFTED, replace(REPAIRED, draft_source="fixtures"), FAILED):
            sink.emit(event)
        sink.close()
        while "olumi.assist.draft.failed" not in sent:
            for line in agent.recv(65_536).decode().splitlines():
                name = line.partition(":")[0]
                tags = line.rpartition("|#")[2].split(",")
                sent.setdefault(name, set()).update(tag.partition(":")[0] for tag in tags)
    used = [item for query in QUERIES for item in read_query(query)]
    used += [item for document in MONITORS.values() for item in read_monitor(document["query"])]
    assert len(used) > 20
    for item in used:
        assert item.tags <= sent[item.metric.name], item
    assert all(tags >= CONSTANT_TAGS for tags in sent.values())


def test_what_datadog_cannot_say_is_one_sentence(tmp_path: Path) -> None:
    own = tmp_path / "rules.yaml"
    own.write_text(
        "rules:\n- {name: a, title: A, metric: quality_score, aggregation: mean, window: 1h, threshold: 0.8,"
        " direction: below, severity: info}\n"
    )
    result = RUNNER.invoke(app, ["datadog", "--out", str(tmp_path / "out"), "--rules", str(own)])
    assert result.exit_code == 2
    assert "rule 'a' cannot be said to Datadog" in result.stderr
    assert len(list((tmp_path / "out").glob("*.json"))) == 6


@pytest.mark.parametrize("window", ["5m", "15m", "1h", "1d"])
@pytest.mark.parametrize(
    ("metric", "aggregation"),
    [
        ("cost_usd", "per_hour"),
        ("latency_ms", "p95"),
        ("cost_usd", "mean"),
        ("errors", "count"),
        ("requests", "count"),
        ("cache_hits", "ratio"),
        ("fallbacks", "ratio"),
        ("high_tier", "ratio"),
        ("unpriced", "count"),
    ],
)
def test_any_rule_becomes_a_query_of_the_grammar(window: str, metric: str, aggregation: str) -> None:
    rule = Rule.model_validate(
        {
            "name": "own",
            "title": "Own",
            "metric": metric,
            "aggregation": aggregation,
            "window": window,
            "threshold": 1.5,
            "severity": "warning",
            "scope": {"provider": "openai", "environment": None},
        }
    )
    document = monitor(rule)
    assert read_monitor(document["query"])
    as_model(document, Monitor)


class _Datadog(BaseHTTPRequestHandler):
    """A stub that keeps what it is given and remembers each request."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        stub: Any = self.server
        path = self.path.partition("?")[0]
        document = json.loads(body) if body else None
        stub.requests.append((self.command, path, dict(self.headers), document))
        if (
            self.headers.get("dd-api-key") != "api-canary"
            or self.headers.get("dd-application-key") != "app-canary"
        ):
            self._answer(403, {"errors": ["Forbidden"]})
        elif self.command == "GET":
            kept = [value for key, value in stub.kept.items() if key.startswith(path + "/")]
            self._answer(200, {"dashboards": kept} if "dashboard" in path else kept)
        else:
            number = len(stub.kept) + 1
            key = path if self.command == "PUT" else f"{path}/{number}"
            known = stub.kept.get(key, {"id": f"d-{number}" if "dashboard" in path else number})
            if self.command == "POST" and "dashboard" in path:
                key = f"{path}/d-{number}"
            stub.kept[key] = {**known, **(document or {})}
            self._answer(200, stub.kept[key])

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the base class's names

    def _answer(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def datadog_stub() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Datadog)
    server.requests, server.kept = [], {}
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_apply_creates_once_and_then_updates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY", "api-canary")
    monkeypatch.setenv("DD_APP_KEY", "app-canary")
    with datadog_stub() as stub:
        monkeypatch.setenv("DD_API_URL", f"http://127.0.0.1:{stub.server_port}")
        arguments = ["datadog", "--out", str(tmp_path), "--apply", "--json"]
        first = RUNNER.invoke(app, arguments)
        assert first.exit_code == 0, first.output
        created = [(method, path) for method, path, _, _ in stub.requests if method != "GET"]
        bodies = [body for method, _, _, body in stub.requests if method == "POST"]
        stub.requests.clear()
        second = RUNNER.invoke(app, arguments)
        updated = sorted((method, path) for method, path, _, _ in stub.requests if method != "GET")
    assert created == 2 * [("POST", "/api/v1/dashboard")] + 4 * [("POST", "/api/v1/monitor")]
    assert updated == [
        ("PUT", "/api/v1/dashboard/d-1"),
        ("PUT", "/api/v1/dashboard/d-2"),
        *(("PUT", f"/api/v1/monitor/{number}") for number in range(3, 7)),
    ]
    written = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json"))]
    assert sorted(map(str, map(sorted_items, bodies))) == sorted(map(str, map(sorted_items, written)))
    assert [item["created"] for item in json.loads(second.stdout)["applied"]] == [False] * 6
    for text in (first.output, second.output, *(path.read_text() for path in tmp_path.glob("*.json"))):
        assert "canary" not in text


def sorted_items(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, sorted_items(inner)) for key, inner in value.items())
    return [sorted_items(inner) for inner in value] if isinstance(value, list) else value


def test_a_refusal_is_one_sentence_without_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_API_KEY", "wrong-canary")
    monkeypatch.setenv("DD_APP_KEY", "app-canary")
    with datadog_stub() as stub:
        monkeypatch.setenv("DD_API_URL", f"http://127.0.0.1:{stub.server_port}")
        refused = RUNNER.invoke(app, ["datadog", "--out", str(tmp_path), "--apply"])
    assert str(refused.exception) == "Datadog answered 403: may DD_APP_KEY do this?"
    monkeypatch.delenv("DD_APP_KEY")
    missing = RUNNER.invoke(app, ["datadog", "--out", str(tmp_path), "--apply"])
    assert str(missing.exception) == "DD_APP_KEY: is not set, but --apply needs it"
