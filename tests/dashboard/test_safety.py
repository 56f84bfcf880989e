"""Hostile text in the store stays text: on the pages, in charts, in CSV."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.draw.charts import label
from dashboard.draw.export import csv_bytes, neutral
from dashboard.draw.graphs import graph_figure, parse_graph
from dashboard.draw.labels import plain
from harness.store import Spool, ingest
from tests.dashboard.stores import EVAL, HOSTILE, Plan, begin, end, exchange, random
from tests.dashboard.test_pages import PAGES


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Names, models, strategies and messages that would like to be markup or formulas."""
    store = tmp_path_factory.mktemp("hostile") / "store"
    plan = Plan(run_id="run-x", name=HOSTILE, requests=40, fail_every=10, environment=HOSTILE)
    rng = random.Random(5)
    with Spool.open(store, store_content=True) as spool:
        spool.append(begin(plan)).result()
        for seq in range(plan.requests):
            row, calls = exchange(plan, seq, rng)
            row = replace(row, case_id=HOSTILE, strategy=HOSTILE, draft_model=row.draft_model and HOSTILE)
            row = replace(row, error_message=row.error_message and '=HYPERLINK("http://192.0.2.1")')
            spool.append_many([row, *(replace(call, model=HOSTILE) for call in calls)]).result()
        spool.append(end(plan)).result()
    ingest(store)
    return store


@pytest.mark.parametrize("page", PAGES)
def test_markup_in_names_reaches_no_markdown_or_html(app, hostile, page):
    at = app(hostile, page)
    for kind in ("markdown", "caption", "info", "warning", "error", "title", "subheader", "metric"):
        for item in at.get(kind):
            shown = f"{getattr(item, 'label', '')} {item.value}"
            assert "<script" not in shown, (kind, shown)
            assert "![x]" not in shown, (kind, shown)
    for chart in at.get("plotly_chart"):
        assert "<script" not in chart.proto.spec
        assert "<img" not in chart.proto.spec
    assert not at.get("html")


def test_stored_output_is_shown_as_code(app, full):
    at = app(full, "quality", kind="eval", mode="emulated", request="run-e-all-openai-00004")
    assert any(HOSTILE in item.value for item in at.code)
    assert not any("<script" in item.value for item in at.markdown)


def test_cells_never_begin_a_formula():
    for start in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1"):
        assert neutral(start).startswith("'"), start
    assert neutral("a=1") == "a=1"
    assert neutral(-1.5) == -1.5
    assert neutral(None) is None
    assert neutral(EVAL.start).endswith("+00:00")
    assert neutral(timedelta(seconds=1)) == "0:00:01"


def test_csv_holds_header_and_rows():
    assert csv_bytes([]) == b""
    text = csv_bytes([{"name": "=cmd", "n": 1, "cost": None}]).decode()
    assert text == "name,n,cost\r\n'=cmd,1,\r\n"


def test_names_in_charts_are_escaped_and_short():
    assert label("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    assert len(label("m" * 200)) <= 36


def test_our_own_text_is_not_read_as_markdown():
    assert plain("$1 to $2") == r"\$1 to \$2"


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"nodes": 3}', '{"nodes": [1, {}]}', "[" * 5000])
def test_what_is_no_graph_is_not_drawn(text):
    assert parse_graph(text) is None


def test_a_cyclic_graph_with_hostile_labels_is_drawn_as_text():
    nodes = [{"id": str(i), "kind": "option", "label": HOSTILE} for i in range(100)]
    edges = [{"from": str(i), "to": str((i + 1) % 100)} for i in range(100)]
    drawing = parse_graph(json.dumps({"graph": {"nodes": nodes, "edges": [*edges, {"from": "x", "to": 1}]}}))
    figure = graph_figure(drawing)
    assert len(drawing.nodes) == 60
    assert "<script" not in figure.to_json()
