"""Checks that record and tell: once, through restarts, broken receivers and silence."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.alerts import Rule, RuleState, Webhook, check_alerts, evaluate, load_rules
from harness.alerts.transitions import Standing, changes
from harness.cli.alerts import app
from harness.errors import ConfigError
from harness.records import AlertEvent, AlertState
from harness.store import Spool, ingest_events, open_store
from tests.alerts.day import at, event, write_day

RUNNER = CliRunner()


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        receiver: Any = self.server
        status = receiver.answers.pop(0) if receiver.answers else 200
        receiver.messages.append((status, json.loads(body)))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiver(*answers: int) -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    server.answers, server.messages = list(answers), []
    server.url = f"http://127.0.0.1:{server.server_port}/services/T0/canary"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def spiked(tmp_path: Path) -> Path:
    """A store with half an hour around the cost spike."""
    ingest_events(tmp_path / "store", write_day(tmp_path / "day.jsonl", "06:50", "07:20"))
    return tmp_path / "store"


def no_pause(_: float) -> None:
    pass


def test_an_alert_is_told_once_when_it_fires_and_once_when_it_resolves(spiked: Path) -> None:
    rules = [rule for rule in load_rules() if rule.name == "cost_spike"]
    with receiver() as told:
        webhook = Webhook(told.url, pause=no_pause)
        for clock in ("06:55", "07:05", "07:10", "08:05", "08:10"):
            check_alerts(spiked, rules, at(clock), webhook=webhook)
        texts = [message["text"] for _, message in told.messages]
    assert texts == [
        "FIRING (warning): Cost spike: $6.15/h, threshold 5",
        "RESOLVED: Cost spike: $0.15/h, threshold 5",
    ]
    assert told.messages[0][1]["attachments"][0]["color"] == "#e69f00"


def test_a_receiver_that_is_busy_is_asked_again(spiked: Path) -> None:
    pauses: list[float] = []
    with receiver(503, 429) as told:
        report = check_alerts(
            spiked, load_rules(), at("07:05"), webhook=Webhook(told.url, pause=pauses.append)
        )
    assert [status for status, _ in told.messages] == [503, 429, 200]
    assert (report.told, report.problems, len(pauses)) == (1, (), 2)


def test_what_could_not_be_told_is_told_by_the_next_check(spiked: Path) -> None:
    with receiver(404) as told:
        webhook = Webhook(told.url, pause=no_pause)
        first = check_alerts(spiked, load_rules(), at("07:05"), webhook=webhook)
        second = check_alerts(spiked, load_rules(), at("07:10"), webhook=webhook)
        third = check_alerts(spiked, load_rules(), at("07:15"), webhook=webhook)
    assert (first.told, len(first.problems), len(first.firing)) == (0, 1, 1)
    assert (second.told, second.changes, third.told) == (1, [], 0)


def test_a_service_that_recorded_an_alert_itself_is_told_for(tmp_path: Path) -> None:
    alert = AlertEvent(
        ts=at("12:00"), rule="fixtures_in_production", state=AlertState.FIRING, value=1.0, threshold=0.0
    )
    with Spool.open(tmp_path) as spool:
        spool.append(alert).result(5)
    with receiver() as told:
        report = check_alerts(tmp_path, load_rules(), at("12:01"), webhook=Webhook(told.url))
    assert [message["text"][:6] for _, message in told.messages] == ["FIRING"]
    assert {shown.found.rule.name for shown in report.firing} == {"fixtures_in_production"}


def test_a_dry_run_records_and_tells_nothing(spiked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as told:
        monkeypatch.setenv("HARNESS_ALERT_WEBHOOK", told.url)
        arguments = ["check", "--at", "2026-11-22T07:05:00Z", "--json", "--store", str(spiked)]
        dry = RUNNER.invoke(app, [*arguments, "--dry-run"])
        with open_store(spiked).snapshot() as view:
            assert view.rows("SELECT count(*) FROM alert_events") == [(0,)]
        assert told.messages == []
        real = RUNNER.invoke(app, arguments)
    assert dry.exit_code == real.exit_code == 1
    assert json.loads(dry.stdout)["changes"] == json.loads(real.stdout)["changes"] != []
    assert len(told.messages) == 1
    assert "canary" not in dry.output + real.output


def test_the_address_is_in_no_error_and_nothing_stored(spiked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_ALERT_WEBHOOK", "http://127.0.0.1:9/canary")
    monkeypatch.setattr("harness.alerts.webhook.ATTEMPTS", 1)
    result = RUNNER.invoke(app, ["check", "--at", "2026-11-22T07:05:00Z", "--store", str(spiked)])
    assert "not told: cost_spike: the webhook could not be reached" in result.stderr
    assert "canary" not in result.output
    assert not any(b"canary" in path.read_bytes() for path in spiked.rglob("*") if path.is_file())
    with pytest.raises(ConfigError) as caught:
        Webhook("canary")
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(Webhook("http://127.0.0.1:9/canary"))


def state_of(rule: Rule, state: AlertState, minute: int, group: str | None = None) -> RuleState:
    return RuleState(
        rule=rule, group=group, at=at("12:00") + timedelta(minutes=minute), state=state, value=1.0
    )


def test_silence_neither_resolves_nor_fires_again() -> None:
    rule = load_rules().rules[0]
    known: dict[tuple[str, str | None], Standing] = {}
    told = []
    for minute, state in enumerate(["ok", "firing", "no_data", "firing", "no_data", "ok", "no_data", "ok"]):
        found = changes(known, [state_of(rule, AlertState(state), minute)])
        known |= {(change.rule, None): Standing(change.state, change.ts) for change in found}
        told += [change.state.value for change in found]
    assert told == ["firing", "resolved", "no_data", "ok"]


def test_groups_fire_by_themselves_and_a_group_that_is_gone_resolves(tmp_path: Path) -> None:
    said = {
        "name": "errors_by_provider", "title": "Errors", "metric": "errors", "aggregation": "ratio",
        "window": "5m", "threshold": 0.5, "min_samples": 2, "group_by": "draft_source", "severity": "warning",
    }  # fmt: skip
    rule = Rule.model_validate(said)
    lines = []
    for index in range(4):
        moment = at("12:01") + timedelta(seconds=index)
        failed = {"event": "assist.draft.failed", "status": "error"}
        lines.append(event(f"a{index}", moment, 5))
        lines.append(event(f"o{index}", moment, 5, draft_source="openai", **failed))
        lines.append(event(f"later{index}", moment + timedelta(minutes=10), 5))
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    store = tmp_path / "store"
    ingest_events(store, log)
    first = check_alerts(store, [rule], at("12:05"))
    assert [(change.detail["group"], change.state.value) for change in first.changes] == [
        ("openai", "firing")
    ]
    second = check_alerts(store, [rule], at("12:12"))
    assert [(change.detail["group"], change.state.value) for change in second.changes] == [
        ("openai", "resolved")
    ]


def test_unknown_costs_make_the_sum_a_lower_bound_and_never_zero(tmp_path: Path) -> None:
    log, store = tmp_path / "log.jsonl", tmp_path / "store"
    known = [event(f"k{n}", at("12:00"), 5, cost_usd=0.5) for n in range(2)]
    unknown = [event(f"u{n}", at("14:00") - timedelta(minutes=90 * n), 5, cost_usd=None) for n in range(2)]
    log.write_text("".join(json.dumps(line) + "\n" for line in known + unknown))
    ingest_events(store, log)
    rules = load_rules().rules[:1]
    with open_store(store).snapshot() as view:
        (partial,) = evaluate(view, rules, at("12:30"))
        (silent,) = evaluate(view, rules, at("14:00"))
    assert (partial.state, partial.value, partial.unknown) == (AlertState.OK, 1.0, 1)
    assert "a lower bound" in partial.note
    assert (silent.state, silent.value) == (AlertState.NO_DATA, None)


def test_an_event_that_came_by_two_ways_counts_once(tmp_path: Path) -> None:
    """By the service's own spool and by its log, whichever was first."""
    log, store = tmp_path / "log.jsonl", tmp_path / "store"
    line = json.dumps(event("same", at("12:00"), 5, cost_usd=3)) + "\n"
    log.write_text(line)
    ingest_events(store, log)
    log.write_text('{"other": 1}\n' + line)
    ingest_events(store, log)
    with open_store(store).snapshot() as view:
        (state,) = evaluate(view, load_rules().rules[:1], at("12:01"))
    assert (state.value, state.n) == (3.0, 1)
