"""The Overview: its figures are the command line's, and it says what they are."""

import json
from decimal import Decimal

import pytest

from dashboard.draw import labels
from dashboard.frame.scope import Scope
from dashboard.queries.cost import money
from dashboard.queries.latency import latency_figures
from dashboard.queries.overview import saving, shares
from harness.cli.runs.show import load_summary
from harness.records import dump_json
from harness.store import open_store
from tests.dashboard.conftest import metrics, texts

RUNS = {
    "run-a": ("baseline", "emulated"),
    "run-b": ("baseline", "emulated"),
    "run-e": ("eval", "emulated"),
    "run-p": ("ingest", "live"),
}


@pytest.mark.parametrize("run_id", RUNS)
def test_every_figure_equals_runs_show(full, run_id):
    kind, mode = RUNS[run_id]
    scope = Scope(kind=kind, mode=mode, run_ids=(run_id,))
    with open_store(full).snapshot() as view:
        latency, spent = latency_figures(view, scope), money(view, scope)
        share, saved = shares(view, scope), saving(view, scope)
    cli = json.loads(dump_json(load_summary(full, run_id)), parse_float=Decimal)

    everything = latency.groups[0]
    assert latency.source == cli["latency_source"]
    for ours, theirs in zip(everything.quantiles, cli["latency"], strict=True):
        assert ours.value == pytest.approx(optional_float(theirs["quantile"]["value_ms"]))
        assert ours.over_limit == theirs["quantile"]["over_limit"]
    for name in ("total_usd", "draft_usd", "repair_usd", "judge_usd", "per_request_usd", "unpriced_calls"):
        assert getattr(spent.sums, name) == optional_decimal(cli["cost"][name]), name
    assert [(r.role, r.provider, r.model, r.calls, r.cost_usd) for r in spent.sums.rows] == [
        (r["role"], r["provider"], r["model"], r["calls"], optional_decimal(r["cost_usd"]))
        for r in cli["cost"]["rows"]
    ]
    assert share.errors.value == pytest.approx(float(cli["error_ratio"]["value"]))
    assert share.tiers == cli["quality"]["tiers"]
    for name in ("high", "mixed", "repaired", "cache_hit"):
        assert getattr(share, name).value == pytest.approx(float(cli["quality"][name]["value"])), name
    assert saved.figures.saving_ratio == pytest.approx(optional_float(cli["saving"]["saving_ratio"]))


def optional_float(value):
    return None if value is None else float(value)


def optional_decimal(value):
    return None if value is None else Decimal(str(value))


def test_it_shows_the_figures_and_says_emulated(app, full):
    at = app(full, mode="emulated", run="baseline-a")
    cards = metrics(at)
    summary = load_summary(full, "run-a")
    assert cards["Latency p95"] == labels.ms(summary.latency[1].quantile.value_ms)
    assert cards["Total cost"] == labels.usd(summary.cost.total_usd, 4)
    assert cards["Cost per request"] == labels.usd(summary.cost.per_request_usd, 6)
    assert cards["Saved by the hybrid route"] == labels.percent(summary.saving.saving_ratio)
    assert cards["Gate"] == "PASS"
    assert "Emulated providers" in texts(at)
    assert len(at.get("plotly_chart")) == 3


def test_live_comes_before_emulated_and_the_rest_is_named(app, full):
    at = app(full)
    assert "ingest · live" in texts(at).replace("\\", "")
    assert "Emulated providers" not in texts(at)
    assert "baseline/emulated" in texts(at).replace("\\", "")


def test_unpriced_calls_and_failures_are_said(app, full):
    at = app(full, run="baseline-b")
    assert "exclude" in texts(at)
    assert metrics(at)["Latency p99"] == "over limit"
    assert metrics(at)["Gate"] == "FAIL"


def test_a_value_that_is_not_in_the_store_shows_nothing(app, full):
    for name in ("run", "provider", "model", "strategy", "environment", "kind", "mode"):
        at = app(full, **{name: "nowhere"})
        assert f"{name}: nowhere (not found)" in texts(at), name
        assert not at.metric


def test_an_empty_store_says_what_fills_it(app, tmp_path):
    at = app(tmp_path)
    assert "harness demo" in texts(at)
    assert not at.metric


def test_a_damaged_store_is_one_sentence(app, tmp_path):
    (tmp_path / "harness.duckdb").write_bytes(b"no database" * 1000)
    at = app(tmp_path)
    assert "damaged" in at.error[0].value
    assert not at.metric
