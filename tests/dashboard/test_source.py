"""How pages read: one snapshot a page, answers kept only as long as the store stays as it is."""

import pytest

from benchmarks.store.pages import PAGES, first_other_prices
from dashboard.frame import source
from dashboard.frame.scope import Scope
from dashboard.queries.overview import run_states, shares
from dashboard.queries.savings import other_prices
from harness.store import Snapshot, Spool, open_store
from tests.dashboard.stores import Plan, begin, exchange, random, write

A = Scope(kind="baseline", mode="emulated")


STANDS_FOR = {first_other_prices: other_prices}


def asked():
    """The queries whose answers are kept now."""
    return {key[2] for key in source._memo()._answers} - {open_store, Snapshot.share}


@pytest.mark.parametrize("page", PAGES)
def test_the_benchmark_asks_what_the_page_asks(app, full, page):
    source._memo.clear()
    app(full, page, mode="emulated", kind="baseline")
    listed = {STANDS_FOR.get(query, query) for query, *_ in PAGES[page]}
    if page != "overview":  # the test opens that page first
        listed |= {query for query, *_ in PAGES["overview"]}
    assert asked() == listed


def test_a_page_sees_one_moment_and_the_next_page_the_new_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path))
    write(tmp_path, Plan(run_id="run-1", name="one", requests=5))
    with source.one_view():
        before = source.read(shares, A)
        with Spool.open(tmp_path) as spool:
            plan = Plan(run_id="run-2", name="two")
            row, calls = exchange(plan, 0, random.Random(1))
            spool.append_many([begin(plan), row, *calls]).result()
        same = source.read(run_states, A)
    after = source.read(shares, A)
    assert before.requests == 5
    assert [(run.run_id, run.requests) for run in same] == [("run-1", 5)]
    assert after.requests == 6


def test_a_page_that_lasts_lets_the_store_go(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_STORE", str(tmp_path))
    monkeypatch.setattr(source, "HELD_S", -1.0)
    write(tmp_path, Plan(run_id="run-1", name="one", requests=5))
    with source.one_view():
        source.read(shares, A)
        with Spool.open(tmp_path) as spool:
            row, calls = exchange(Plan(run_id="run-1", name="one"), 5, random.Random(1))
            spool.append_many([row, *calls]).result()
        assert [run.requests for run in source.read(run_states, A)] == [6]


def test_a_snapshot_works_out_once_what_it_keeps(full):
    with open_store(full).snapshot() as view:
        first = view.kept("SELECT run_id FROM requests WHERE run_id = ?", ["run-a"])
        again = view.kept("SELECT run_id FROM requests WHERE run_id = ?", ["run-a"])
        other = view.kept("SELECT run_id FROM requests WHERE run_id = ?", ["run-b"])
        assert view.rows(f"SELECT DISTINCT run_id FROM {other.table}") == [("run-b",)]
    assert first == again
    assert first.rows == 120
    assert other.table != first.table
