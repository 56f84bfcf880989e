"""Every page on a full, an empty and a damaged store, and with what is not there."""

import pytest

from harness.store import Spool
from tests.dashboard.conftest import metrics, texts
from tests.dashboard.stores import Plan, begin, exchange, random

PAGES = ("overview", "latency", "cost", "quality", "savings", "runs", "alerts", "live")
SHOWN = {
    "overview": ("Latency p95", "Gate"),
    "latency": ("Slowest answers", "Failures rank above every success"),
    "cost": ("Monthly cost", "Cost by role, provider and model"),
    "quality": ("Graders", "Cases that fell short"),
    "savings": ("Measured", "An assumption, not a measurement"),
    "runs": ("Gate history", "Failures, grouped"),
    "alerts": ("no data", "Cost spike", "Recorded changes"),
    "live": ("golden-eval", "Spent"),
}
CHARTS = {
    "overview": 2, "latency": 5, "cost": 3, "quality": 3, "savings": 2, "runs": 1, "alerts": 4, "live": 1,
}  # fmt: skip


def everything(at):
    return texts(at) + "\n".join(f"{label} {value}" for label, value in metrics(at).items())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_content(app, full, page):
    at = app(full, page, kind="eval", mode="emulated")
    for text in SHOWN[page]:
        assert text in everything(at), text
    assert len(at.get("plotly_chart")) >= CHARTS[page]
    assert page in ("runs", "alerts") or "Emulated providers" in texts(at)


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_and_a_damaged_store_are_said(app, tmp_path, page):
    at = app(tmp_path, page)
    assert "harness demo" in texts(at)
    (tmp_path / "harness.duckdb").write_bytes(b"no database" * 1000)
    at = app(tmp_path, page)
    assert "damaged" in at.error[0].value
    assert not at.metric


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("alerts", "live")])
def test_what_is_not_in_the_store_shows_nothing(app, full, page):
    at = app(full, page, provider="nowhere")
    assert "provider: nowhere (not found)" in texts(at)
    assert not at.metric
    assert not at.get("plotly_chart") or page == "runs"


def test_two_runs_are_compared_from_a_link(app, full):
    at = app(full, "runs", a="baseline-a", b="baseline-b")
    shown = next(frame.value for frame in at.dataframe if "B - A" in frame.value.columns)
    assert "latency p95" in list(shown["figure"])
    assert "worse" in list(shown["verdict"])
    assert "both were answered by emulated providers" in texts(at)


def test_a_run_to_compare_that_is_not_there_is_said(app, full):
    at = app(full, "runs", a="baseline-a", b="no-such-run")
    assert "run: no-such-run (not found)" in texts(at)


def test_one_request_is_shown_with_its_graph(app, full):
    without = app(full, "quality", kind="eval", mode="emulated")
    at = app(full, "quality", kind="eval", mode="emulated", request="run-e-all-openai-00004")
    assert len(at.get("plotly_chart")) == len(without.get("plotly_chart")) + 2
    assert "run-e-all-openai-00004" in texts(at)


def test_a_running_run_is_watched(app, tmp_path):
    plan = Plan(run_id="run-live", name="live-one", requests=100, mode=None)
    with Spool.open(tmp_path) as spool:
        spool.append(begin(plan, owner=spool.spool_id)).result()
        at = app(tmp_path, "live")
        assert "No answer yet" in texts(at)
        rng = random.Random(1)
        for seq in range(30):
            row, calls = exchange(plan, seq, rng)
            spool.append_many([row, *calls]).result()
        at.run()
        assert "Running now" in texts(at)
        assert "95%" in texts(at)
    at.run()
    assert "interrupted" in texts(at)


def test_the_savings_page_says_which_to_take_by_the_limits_in_the_link(app, full):
    page = texts(app(full, "savings", kind="eval"))
    assert "p95 <= 8 s and >= 90% high tier" in page
    assert "judged within emulated providers" in page
    assert "mixes looked at" in page
    told = texts(app(full, "savings", kind="eval", max_p95="9", min_high="50"))
    assert "all-openai is the cheapest with p95 <= 9 s and >= 50% high tier" in told
