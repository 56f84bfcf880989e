"""Every figure that is shown twice is the same figure: value, interval and n, on every surface."""

import json
import sys
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from dashboard.frame.scope import Scope
from dashboard.queries.cost import money
from dashboard.queries.latency import latency_figures
from dashboard.queries.overview import shares
from dashboard.queries.savings import ways
from harness.cli.app import main
from harness.figures import measure_all
from harness.figures.sides import sides_of, whole_side
from harness.records import ProviderMode, RunKind, dump_json, tier_of
from harness.store import Spool, ingest, open_store
from tests.judged_rows import START, JudgedRun, calls_of, failed, request, stored

STRATEGIES = ("hybrid", "sonnet", "mini")
RUNS = {
    "evaluation": (RunKind.EVAL, ProviderMode.EMULATED),
    "baseline": (RunKind.BASELINE, ProviderMode.EMULATED),
    "ingested": (RunKind.INGEST, ProviderMode.LIVE),
    "imported": (RunKind.EVAL, ProviderMode.LIVE),
}


def drawn(run_id, n, cases, rng, mode, **columns):
    """Answers whose cases resemble themselves, and a few failures."""
    own = rng.normal(size=cases)
    rows = []
    for seq in range(n):
        case = seq % cases
        score = float(np.clip(0.88 + 0.05 * own[case] + 0.02 * rng.normal(), 0, 1))
        cost = Decimal(f"{0.02 + 0.004 * own[case] + 0.001 * rng.random():.6f}")
        row = request(
            seq,
            float(np.exp(8 + 0.3 * own[case] + 0.2 * rng.normal())),
            case_id=f"case-{case}",
            quality_score=score,
            quality_tier=tier_of(score),
            draft_cost_usd=cost,
            cost_usd=cost,
            provider_mode=mode,
        )
        told = {name: value(seq) if callable(value) else value for name, value in columns.items()}
        names = {"run_id": run_id, "request_id": f"{run_id}-{seq}", **told}
        bad = seq % 41 == 7 and run_id != "imported"
        rows.append(
            failed(seq, case_id=row.case_id, provider_mode=mode, **names)
            if bad
            else type(row)(**{**{name: getattr(row, name) for name in row.__dataclass_fields__}, **names})
        )
    return rows


def rows_of(run_id, rng):
    mode = RUNS[run_id][1]
    if run_id == "evaluation":
        strategy = {"strategy": lambda seq: STRATEGIES[seq // 12 % 3], "repeat": lambda seq: 1 + seq // 36}
        return drawn(run_id, 144, 12, rng, mode, scenario=None, lateness_ms=None, **strategy)
    if run_id == "imported":
        return drawn(run_id, 40, 20, rng, mode, strategy="hybrid", scenario=None, lateness_ms=None)
    return drawn(run_id, 130, 30, rng, mode)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """An evaluation with repeats, a baseline that cycles its cases, an ingested log, an imported table."""
    folder = tmp_path_factory.mktemp("agree") / "store"
    rng = np.random.default_rng(11)
    with Spool.open(folder) as spool:
        for run_id, (kind, mode) in RUNS.items():
            config = {"strategies": list(STRATEGIES)} if run_id == "evaluation" else {}
            if run_id == "imported":
                config["imported"] = {"file": "t.csv"}
            rows = rows_of(run_id, rng)
            run = JudgedRun(
                run_id=run_id,
                kind=kind,
                name=run_id,
                provider_mode=mode,
                config=config,
                ended_at=START + timedelta(hours=1),
            )
            begun, end = stored(run)
            spool.append_many([begun, *rows, *(calls_of(rows) if run_id == "baseline" else [])]).result()
            spool.append(end).result()
    ingest(folder)
    return folder


@pytest.fixture(scope="module")
def truth(store):
    """Run -> strategy (None for the whole) -> every figure, from the room itself."""
    with open_store(store).snapshot() as view:
        found = {}
        for run_id in RUNS:
            run = view.run(run_id)
            sides = {None: whole_side(view, run)}
            if run_id == "evaluation":
                sides |= {side.strategy: side for side in sides_of(view, run)}
            found[run_id] = {name: measure_all(side.rows) for name, side in sides.items()}
    return found


@pytest.fixture
def shown(store, capsys, monkeypatch, tmp_path):
    """What a command prints as JSON."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, of_store=True):
        where = ["--store", str(store)] if of_store else []
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments), "--json", *where])
        with pytest.raises(SystemExit):
            main()
        return json.loads(capsys.readouterr().out)

    return run


def same(told, found, name):
    """The same value, interval and n, however the surface spells them."""
    for bound in ("value", "low", "high"):
        expected = getattr(found, bound)
        assert told[bound] == (None if expected is None else pytest.approx(expected, rel=1e-9)), (name, bound)
    assert told["n"] == found.n, name


def all_same(told, found):
    assert told.keys() == found.keys()
    for name, figure in found.items():
        same(told[name], figure, name)


def as_json(estimate):
    return json.loads(dump_json(estimate))


@pytest.mark.parametrize("run_id", ["baseline", "ingested"])
def test_runs_show_and_the_report_show_the_rooms_figures(shown, truth, run_id, tmp_path):
    document = shown("runs", "show", run_id)
    all_same(document["figures"], truth[run_id][None])
    path = shown("runs", "publish", run_id, "--into", tmp_path / "out")["json"]
    report = json.loads((tmp_path / path).read_text())
    all_same(report["figures"], truth[run_id][None])
    assert report["summary"]["spending"] == document["spending"]


@pytest.mark.parametrize("run_id", ["evaluation", "imported"])
def test_an_evaluation_shows_the_rooms_figures_of_each_strategy(shown, truth, run_id):
    for found in shown("runs", "show", run_id)["strategies"]:
        strategy = found["strategy"] if run_id == "evaluation" else None
        all_same(found["figures"], truth[run_id][strategy])


def test_groups_show_them_too(shown, truth):
    for strategy, figures in shown("runs", "show", "evaluation", "--by", "strategy")["groups"].items():
        for name, found in truth["evaluation"][strategy].items():
            same(figures[name], found, (strategy, name))


CHECKS = {
    "p95_latency": "p95_latency",
    "error_ratio": "error_ratio",
    "cost_per_request": "cost_per_request",
}


@pytest.mark.parametrize(
    ("run_id", "strategy"),
    [("baseline", None), ("ingested", None), ("imported", None), ("evaluation", "hybrid")],
)
def test_the_gate_judges_the_rooms_figures_in_a_store_and_in_a_report(
    shown, truth, run_id, strategy, tmp_path
):
    limits = ["--confidence", 0.95, "--max-cost-per-request", 1]
    limits += [] if strategy is None else ["--strategy", strategy]
    in_store = shown("gate", run_id, *limits)
    path = shown("runs", "publish", run_id, "--into", tmp_path / "out")["json"]
    in_file = shown("gate", path, *limits, of_store=False)
    for report in (in_store, in_file):
        checks = {check["name"]: check for check in report["checks"]}
        assert report["verdict"] == in_store["verdict"]
        for check, name in CHECKS.items():
            told = checks[check]
            same({**told, **told["interval"]}, truth[run_id][strategy][name], name)


def test_the_gates_high_tier_is_the_rooms_where_nothing_failed(shown, truth):
    checks = shown("gate", "imported", "--min-high-tier", 0.5, "--confidence", 0.95)["checks"]
    told = next(check for check in checks if check["name"] == "high_tier_ratio")
    same({**told, **told["interval"]}, truth["imported"][None]["high_tier"], "high_tier")


def test_compare_and_the_gates_baseline_show_one_difference(shown):
    compared = {found["name"]: found for found in shown("compare", "baseline", "baseline")["differences"]}
    for check in shown("gate", "baseline", "--baseline", "baseline")["checks"]:
        name = check["name"].removesuffix("_vs_baseline")
        if name == check["name"]:
            continue
        found = compared[name]
        assert check["value"] == pytest.approx(found["difference"], abs=1e-9)
        for bound in ("low", "high"):
            assert check["interval"][bound] == pytest.approx(found[bound], abs=1e-9), (name, bound)
        assert check["n"] == found["n_b"]


@pytest.mark.parametrize("run_id", ["baseline", "ingested", "imported"])
def test_the_dashboard_asks_the_same_room(store, truth, run_id):
    kind, mode = RUNS[run_id]
    scope = Scope(kind=kind.value, mode=mode.value, run_ids=(run_id,))
    with open_store(store).snapshot() as view:
        latency, spent, share = latency_figures(view, scope), money(view, scope), shares(view, scope)
    figures = truth[run_id][None]
    for name, found in zip(
        ("p50_latency", "p95_latency", "p99_latency"), latency.groups[0].quantiles, strict=True
    ):
        same(as_json(found), figures[name], name)
    same(as_json(spent.per_request), figures["cost_per_request"], "cost_per_request")
    for name, found in (
        ("error_ratio", share.errors),
        ("high_tier", share.high),
        ("repaired", share.repaired),
        ("mixed_providers", share.mixed),
    ):
        same(as_json(found), figures[name], name)


def test_repeats_of_a_case_widen_every_interval(truth):
    methods = {name: found.method for name, found in truth["evaluation"]["hybrid"].items()}
    assert methods["high_tier"] == "cluster_wilson"
    assert methods["cost_per_request"] == "cluster_t"
    assert truth["baseline"][None]["high_tier"].method == "cluster_wilson"


SIDES = [("baseline", None), ("ingested", None), ("imported", "hybrid"), ("evaluation", "hybrid")]
SPENT = {
    "total": "cost_per_request",
    "draft": "draft_cost_per_request",
    "repair": "repair_cost_per_request",
}
PLACED = {
    "cost_per_request_usd": "cost_per_request",
    "p95_ms": "p95_latency",
    "high_tier_ratio": "high_tier",
    "error_ratio": "error_ratio",
}


def of_strategy(truth, run_id, strategy):
    return truth[run_id][strategy if strategy in truth[run_id] else None]


@pytest.mark.parametrize(("run_id", "strategy"), SIDES)
def test_savings_and_frontier_show_the_rooms_figures_of_a_run_and_of_its_report(
    shown, truth, run_id, strategy, tmp_path
):
    path = shown("runs", "publish", run_id, "--into", tmp_path / "out")["json"]
    found = of_strategy(truth, run_id, strategy)
    limits = ["--strategy", strategy] if strategy else []
    for reference, in_store in ((run_id, True), (path, False)):
        (side,) = shown("savings", reference, *limits, of_store=in_store)["sides"]
        for key, name in SPENT.items():
            told = side[key]["per_request_usd"]
            if name in found:
                same(told, found[name], name)
            else:
                assert told["value"] is None
        (place,) = shown("strategies", "frontier", reference, *limits, of_store=in_store)["strategies"]
        for key, name in PLACED.items():
            same(place[key], found[name], name)


@pytest.mark.parametrize(("run_id", "strategy"), SIDES)
def test_the_dashboards_savings_are_those_of_the_commands(shown, store, truth, run_id, strategy):
    kind, mode = RUNS[run_id]
    scope = Scope(
        kind=kind.value, mode=mode.value, run_ids=(run_id,), strategies=(strategy,) if strategy else ()
    )
    with open_store(store).snapshot() as view:
        (way,) = ways(view, scope, None, 10_000).ways
        whole = ways(view, Scope(kind=kind.value, mode=mode.value, run_ids=(run_id,)), None, 10_000)
    found = of_strategy(truth, run_id, strategy)
    same(as_json(way.figures.total.per_request), found["cost_per_request"], "cost_per_request")
    for name, told in (
        ("cost_per_request", way.place.cost_per_request),
        ("p95_latency", way.place.p95),
        ("high_tier", way.place.high_tier),
        ("error_ratio", way.place.error_ratio),
        ("cost_per_high_answer", way.place.cost_per_high),
    ):
        same(as_json(told), found[name], name)
    command = shown("savings", run_id, "--per-month", 10_000)
    for own, told in zip(whole.ways, command["sides"], strict=True):
        for key in ("per_request", "per_1000", "per_month"):
            same(told["total"][f"{key}_usd"], getattr(own.figures.total, key), key)


def test_one_saving_stands_everywhere_and_all_hold_together(shown, store):
    command = shown("savings", "evaluation")
    assert command["decided_at"] == pytest.approx(0.975)
    scope = Scope(kind="eval", mode="emulated", run_ids=("evaluation",))
    with open_store(store).snapshot() as view:
        page = ways(view, scope, None, 10_000).ways
    reports = shown("runs", "show", "evaluation")["comparisons"]
    compared = shown("strategies", "compare", "evaluation")["others"]
    for told, own, report, other in zip(command["savings"], page[1:], reports, compared, strict=True):
        same(told["saving_ratio"], own.saving.ratio, "saving")
        same(report["saving"]["saving_ratio"], own.saving.ratio, "saving")
        same(told["total"]["per_request_usd"], own.saving.total.per_request, "saved")
        cost = next(one for one in other["differences"] if one["name"] == "cost_per_request")
        assert cost["difference"] == report["cost"]["difference"]
        assert cost["difference"] == pytest.approx(-told["total"]["per_request_usd"]["value"])
        assert cost["n_b"] == report["cost"]["n_b"] == told["total"]["per_request_usd"]["n"]


def test_a_saving_and_a_difference_of_one_confidence_are_one_interval(shown):
    told = shown("runs", "show", "evaluation")["comparisons"][0]["cost"]
    pair = ["--strategy", "hybrid", "--strategy", "sonnet", "--confidence", told["confidence"]]
    saved = shown("savings", "evaluation", *pair)["savings"][0]["total"]["per_request_usd"]
    for bound, negated in (("difference", "value"), ("low", "high"), ("high", "low")):
        assert told[bound] == pytest.approx(-saved[negated]), bound
