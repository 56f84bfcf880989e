"""What queries share: who a request belongs to, the latest of a selection, and groups beyond one pass."""

from collections import Counter
from dataclasses import replace

import pytest

from dashboard.frame.scope import Scope
from dashboard.queries.facets import facets
from dashboard.queries.latency import latency_figures
from dashboard.queries.quality import group_quality
from dashboard.queries.records import latest
from harness.analysis.moments import moments_of, score_estimate
from harness.figures import Rows, ranking
from harness.figures.saving import route_saving
from harness.pricing import PriceBook
from harness.store import Spool, ingest, open_store
from harness.strategies.attempts import recorded_attempts
from harness.strategies.run_cost import run_cost
from tests.dashboard.stores import MINI, SONNET, Plan, begin, end, exchange, random, write

ALL = Scope(kind="baseline", mode="emulated")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A run of two routes in which every fifth request failed, so that only its attempts tell its route."""
    store = tmp_path_factory.mktemp("mixed")
    plan = Plan(run_id="run-m", name="mixed", requests=60, fail_every=5)
    rng = random.Random(5)
    with Spool.open(store) as spool:
        spool.append(begin(plan)).result()
        for seq in range(60):
            row, calls = exchange(replace(plan, strategy=("hybrid", "all-openai")[seq % 2]), seq, rng)
            spool.append_many([replace(row, warmup=seq < 2, case_id=None), *calls]).result()
        spool.append(end(plan)).result()
    ingest(store)
    return store


def test_failed_requests_belong_to_the_provider_their_first_attempt_went_to(mixed):
    with open_store(mixed).snapshot() as view:
        found = facets(view).facets
        rows = Rows(view, ALL).rows(
            "SELECT draft_source, draft_model, told_draft_source IS NULL FROM counted"
        )
        groups = {group.group: group for group in latency_figures(view, ALL, "provider").groups}
    assert {(source, model) for source, model, untold in rows if untold} == {SONNET, MINI}
    counted = Counter((source, model) for source, model, _ in rows)
    by_route = Counter()
    for facet in found:
        by_route[facet.draft_source, facet.draft_model] += facet.requests
    assert by_route == counted
    assert sum(counted.values()) == 58
    assert groups["anthropic"].failures == groups["openai"].failures == 6


def test_requests_without_a_case_are_clusters_of_one(mixed):
    with open_store(mixed).snapshot() as view:
        (found,) = group_quality(view, ALL, "all")
        answers = [row for row in view.requests("run-m") if row.status == "ok"]
    expected = score_estimate(moments_of([row.quality_score for row in answers]))
    assert found.score.n == len(answers) == 46
    assert found.score.value == pytest.approx(expected.value)
    assert found.score.low == pytest.approx(expected.low)
    assert found.cases == 0


@pytest.mark.parametrize("limit", [1, 7, 40, 240, 1_000])
def test_the_latest_requests_are_the_latest(full, limit):
    with open_store(full).snapshot() as view:
        found = latest(view, ALL, limit)
        chosen = {key for (key,) in view.rows(f"SELECT request_id FROM {found.requests}")}
        rows = [row for run_id in ("run-a", "run-b") for row in view.requests(run_id)]
    expected = sorted(rows, key=lambda row: row.scheduled_at, reverse=True)[:limit]
    assert chosen == {row.request_id for row in expected}
    assert found.left_out == max(0, 240 - limit)


@pytest.mark.parametrize(
    ("run_id", "kind", "mode"), [("run-b", "baseline", "emulated"), ("run-p", "ingest", "live")]
)
def test_the_saving_of_a_route_is_that_of_each_call_priced_alone(full, run_id, kind, mode):
    book = PriceBook.load()
    with open_store(full).snapshot() as view:
        rows = Rows(view, Scope(kind=kind, mode=mode, run_ids=(run_id,)))
        ours, theirs = route_saving(rows, book), run_cost(recorded_attempts(rows), book)
    if len(theirs.alternatives) == 1:
        assert ours.reason == "one model did all the drafts and repairs"
        return
    assert ours.requests == theirs.n_compared
    assert ours.actual_usd == theirs.compared_cost_usd
    assert ours.single_provider_usd == theirs.single_provider_cost_usd
    assert ours.saving_ratio == pytest.approx(float(theirs.saving_ratio))


def test_many_groups_are_found_in_several_passes(tmp_path, monkeypatch):
    write(
        tmp_path, *(Plan(run_id=f"run-{n}", name=f"run {n}", requests=30 + n, fail_every=9) for n in range(5))
    )
    with open_store(tmp_path).snapshot() as view:
        exact = latency_figures(view, ALL, "run").groups
        monkeypatch.setattr(ranking, "IN_MEMORY_ROWS", 0)
        monkeypatch.setattr(ranking, "QUANTILES_A_SCAN", 2)
        large = latency_figures(view, ALL, "run").groups
    assert [group.group for group in large] == [f"run-{n}" for n in reversed(range(5))]
    for ours, theirs in zip(large, exact, strict=True):
        assert [q.value for q in ours.quantiles] == [q.value for q in theirs.quantiles]
