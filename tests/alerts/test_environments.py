"""`Production` in a log and `production` in a rule are one environment, wherever the name came from."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from harness.alerts import load_rules
from harness.alerts.evaluate import evaluate
from harness.alerts.rule import Scope
from harness.errors import ConfigError
from harness.orchestration import resolve_routing, resolve_strategy
from harness.records import AlertState, environment_name
from harness.service import ServiceSettings
from harness.store import StorePaths, ingest, ingest_events, open_store
from tests.alerts.day import at, event
from tests.store.samples import a_request, a_run, an_event, write

SPELLINGS = ["Production", "PRODUCTION", " production ", "prod", "PRD", "\tProd\n"]


def stored(store: Path, table: str = "requests") -> set[str | None]:
    with open_store(store).snapshot() as view:
        return {name for (name,) in view.rows(f"SELECT environment FROM {table}")}


@pytest.mark.parametrize("written", SPELLINGS)
def test_fixtures_in_production_are_seen_whatever_the_log_calls_it(tmp_path: Path, written: str) -> None:
    line = event("r1", at("07:00"), 5, environment=written, draft_source="fixtures")
    (tmp_path / "log.jsonl").write_text(json.dumps(line) + "\n")
    ingest_events(tmp_path / "store", tmp_path / "log.jsonl")
    (rule,) = [rule for rule in load_rules() if rule.name == "fixtures_in_production"]
    with open_store(tmp_path / "store").snapshot() as view:
        (state,) = evaluate(view, [rule], at("07:02"))
    assert state.state is AlertState.FIRING
    assert stored(tmp_path / "store") == stored(tmp_path / "store", "events") == {"production"}


def test_what_services_and_load_generators_spool_has_one_spelling(tmp_path: Path) -> None:
    foreign = replace(
        an_event(2, None), environment=None, payload={**an_event(2).payload, "environment": " PROD"}
    )
    write(tmp_path, a_run(environment="Staging "), a_request(1, environment="STAGING"), foreign)
    live = stored(tmp_path)
    assert live == {"staging", "production"}
    ingest(tmp_path)
    assert stored(tmp_path) == live
    assert stored(tmp_path, "runs") >= {"staging"}


@pytest.mark.parametrize("written", SPELLINGS)
def test_rules_guards_and_variables_know_the_same_name(written: str) -> None:
    assert Scope(environment=written).environment == "production"
    routing = resolve_routing({"HARNESS_ENV": written, "LLM_PROVIDER": "fixtures"})
    settings = ServiceSettings(routing=routing, strategy=resolve_strategy(routing))
    with pytest.raises(ConfigError, match="fixtures would serve"):
        settings.check_fixtures()


def test_aliases_can_be_turned_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_ENV_ALIASES", "off")
    assert environment_name(" Prod ") == "prod"
    write(tmp_path, a_run(environment="PRD"), a_request(1, environment="Prod"))
    assert stored(tmp_path) == {"prod"}
    assert stored(tmp_path, "runs") == {"prd"}


def test_a_blank_name_is_none() -> None:
    assert environment_name("  ") is None
    assert environment_name(None) is None
    assert resolve_routing({"HARNESS_ENV": " ", "DD_ENV": "Staging"}).environment == "staging"


def test_rows_of_an_older_store_are_brought_to_it(tmp_path: Path) -> None:
    fixture = Path(__file__).parents[1] / "store" / "fixtures" / "schema-0002.duckdb.gz"
    StorePaths(tmp_path).database.write_bytes(gzip.decompress(fixture.read_bytes()))
    with duckdb.connect(str(StorePaths(tmp_path).database)) as connection:
        connection.execute("UPDATE requests SET environment = ' Production'")
    assert stored(tmp_path) == {"production"}
