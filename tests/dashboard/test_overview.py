"""The Overview: its figures are the command line's, and it says what they are."""

import json
from decimal import Decimal

import pytest

from dashboard.draw import labels
from dashboard.frame.scope import Scope
from dashboard.queries.cost import money
from dashboard.queries.latency import latency_figures
from dashboard.queries.overview import saving, shares
from harness.figures.summary import run_summary
from harness.records import dump_json
from harness.report.document import summary_document
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
    cli = shown(full, run_id)
    figures = cli["figures"]

    everything = latency.groups[0]
    assert latency.source == cli["latency_source"]
    names = ("p50_latency", "p95_latency", "p99_latency")
    for name, ours in zip(names, everything.quantiles, strict=True):
        same(ours, figures[name])
    for name in ("total_usd", "draft_usd", "repair_usd", "judge_usd", "per_request_usd", "unpriced_calls"):
        assert getattr(spent.sums, name) == optional_decimal(cli["spending"][name]), name
    assert [(r.role, r.provider, r.model, r.calls, r.cost_usd) for r in spent.sums.rows] == [
        (r["role"], r["provider"], r["model"], r["calls"], optional_decimal(r["cost_usd"]))
        for r in cli["spending"]["rows"]
    ]
    assert share.tiers == cli["tiers"]
    for name, ours in (
        ("error_ratio", share.errors),
        ("high_tier", share.high),
        ("mixed_providers", share.mixed),
        ("repaired", share.repaired),
        ("prompt_cache_hit", share.cache_hit),
    ):
        same(ours, figures[name])
    assert saved.saving_ratio == pytest.approx(optional_float(cli["saving"]["saving_ratio"]))


def shown(store, run_id):
    """What `harness runs show --json` prints of a run that is not an evaluation."""
    with open_store(store).snapshot() as view:
        document = summary_document(run_summary(view, view.run(run_id)))
    return json.loads(dump_json(document), parse_float=Decimal)


def same(ours, theirs):
    """Value, interval and n."""
    for name in ("value", "low", "high"):
        assert getattr(ours, name) == pytest.approx(optional_float(theirs[name])), name
    assert (ours.n, ours.over_limit) == (theirs["n"], theirs["over_limit"])


def optional_float(value):
    return None if value is None else float(value)


def optional_decimal(value):
    return None if value is None else Decimal(str(value))


def test_it_shows_the_figures_and_says_emulated(app, full):
    at = app(full, mode="emulated", run="baseline-a")
    cards = metrics(at)
    with open_store(full).snapshot() as view:
        summary = run_summary(view, view.run("run-a"))
    assert cards["Latency p95"] == labels.duration(summary.figures["p95_latency"].value)
    assert cards["Total cost"] == labels.usd(summary.spending.total_usd)
    assert cards["Cost per request"] == labels.usd(summary.spending.per_request_usd)
    assert cards["Saved by the hybrid route"] == labels.percent(summary.saving.saving_ratio)
    assert cards["Gate"] == "PASS"
    assert "Emulated providers" in texts(at)
    assert len(at.get("plotly_chart")) == 4


def test_live_comes_before_emulated_and_the_rest_is_named(app, full):
    at = app(full)
    assert "ingest · live" in texts(at).replace("\\", "")
    assert "Emulated providers" not in texts(at)
    assert "baseline/emulated" in texts(at).replace("\\", "")


def test_unpriced_calls_and_failures_are_said(app, full):
    at = app(full, run="baseline-b")
    assert "exclude" in texts(at)
    assert metrics(at)["Latency p99"] == "among failures"
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
