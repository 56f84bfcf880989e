"""The first page: what it shows unasked, the sentence it composes, what changed and which way is better."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.draw import labels
from dashboard.draw.verdict import Health, change_sentence, verdict
from dashboard.frame.defaults import default_view
from dashboard.frame.scope import Scope
from dashboard.queries.facets import facets
from dashboard.queries.home import Alerts, Change, Firing, alerts_now, change, ways_compared
from dashboard.queries.overview import LastGate, RunState
from harness.analysis.estimate import Estimate, no_estimate
from harness.figures import Rows, all_figures, figure_named, measure_all
from harness.figures.contributions import contributions, role_contributions
from harness.records import GateVerdict, LatencySource, ProviderMode, RunKind
from harness.store import Spool, ingest, open_store
from tests.dashboard.conftest import metrics, texts
from tests.dashboard.stores import Plan, records, write

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """Two days of production: on the second a dearer strategy answers and every twelfth request fails."""
    store = tmp_path_factory.mktemp("production") / "store"
    days = (
        ("run-1", NOW - 2 * DAY, "hybrid", 0),
        ("run-2", NOW - DAY, "all-anthropic", 12),
    )
    with Spool.open(store) as spool:
        for run_id, start, strategy, fail_every in days:
            plan = Plan(
                run_id=run_id,
                name=run_id,
                kind=RunKind.INGEST,
                mode=ProviderMode.LIVE,
                environment="production",
                source=LatencySource.SERVER,
                strategy=strategy,
                fail_every=fail_every,
                requests=1440,
                gap_s=60,
                start=start,
                status=None,
            )
            spool.append_many(list(records(plan, random.Random(7)))).result()
    ingest(store)
    return store


LAST_DAY = Scope(kind="ingest", mode="live", environments=("production",), since=NOW - DAY)


def test_unasked_the_page_shows_the_last_day_of_production_and_says_so(app, production):
    at = app(production)
    shown = texts(at).replace("\\", "")
    assert "production, the 24 hours up to 2026-11-24 11:59 UTC" in shown
    assert "1,441 requests of 2 runs" in shown
    assert "Production is not well (" in shown
    assert "more than 5% errors" in shown or "alert: API error ratio" in shown
    assert "1 alert firing" in shown
    assert metrics(at)["Error ratio"] == "8.33%"


def test_without_production_it_shows_the_latest_run_alone(app, tmp_path):
    write(
        tmp_path,
        Plan(run_id="run-1", name="first", start=NOW - DAY),
        Plan(run_id="run-2", name="second", start=NOW, verdict=GateVerdict.PASS),
    )
    at = app(tmp_path)
    shown = texts(at).replace("\\", "")
    assert "the latest run" in shown
    assert "second" in shown
    assert "60 requests of 1 run" in shown
    assert "No change is shown against first." in shown
    assert "This run is healthy: p95" in shown
    assert "/h" not in shown  # a minute of load says nothing of an hour
    assert metrics(at)["Cost per hour"] == "-"
    assert metrics(app(tmp_path, "cost"))["Cost per hour"] == "-"


def test_the_last_day_is_production_s_own_and_not_a_later_log_s_of_staging(tmp_path):
    plan = Plan(
        run_id="run-1",
        name="one",
        kind=RunKind.INGEST,
        mode=ProviderMode.LIVE,
        environment="production",
        requests=30,
        start=NOW - 10 * DAY,
        gap_s=3600 * 3,
        status=None,
    )
    later = replace(plan, run_id="run-2", name="two", environment="staging", start=NOW, gap_s=60)
    write(tmp_path, plan, later)
    with open_store(tmp_path).snapshot() as view:
        found = default_view(facets(view))
    assert found.since == NOW - 10 * DAY + 29 * timedelta(hours=3) - DAY


def test_every_declared_figure_is_listed_on_request(app, production):
    at = app(production)
    at.toggle(key="figures").set_value(True).run()
    (shown,) = [frame.value for frame in at.dataframe if "rests on" in frame.value.columns]
    assert set(shown["name"]) == {figure.name for figure in all_figures()}


def test_savings_open_on_the_run_of_several_strategies(full):
    with open_store(full).snapshot() as view:
        found = facets(view)
    assert default_view(found, several=True).run == ("golden-eval",)
    assert default_view(found).environment == ("production",)


@pytest.mark.parametrize(("name", "value"), [("window", "yesterday"), ("run", "none"), ("kind", "foo")])
def test_what_a_link_asks_that_is_not_there_shows_nothing(app, production, name, value):
    at = app(production, **{name: value})
    assert f"{name}: {value} (not found)" in texts(at)
    assert not at.metric


def test_pages_without_filters_draw_none(app, production):
    for page in ("alerts", "live"):
        at = app(production, page)
        assert not at.sidebar.selectbox
        assert "Filters do not apply to this page." in texts(at)


def test_a_change_of_cost_is_taken_apart_and_adds_up(production):
    with open_store(production).snapshot() as view:
        found = change(view, LAST_DAY)
        before = Rows(view, Scope(kind="ingest", mode="live", until=NOW - DAY))
        after = Rows(view, LAST_DAY)
        means = [
            measure_all(rows, [figure_named("cost_per_request")])["cost_per_request"].value
            for rows in (before, after)
        ]
        parts = [contributions(before, after, by) for by in ("model", "strategy", "hour")]
        roles = role_contributions(before, after)
    for one in (*parts, roles):
        assert sum(part.change_usd for part in one) == pytest.approx(means[1] - means[0])
    assert found.roles[0].group == "repair"
    sentence = change_sentence(found)
    assert sentence.startswith("Against the 24 hours before: ")
    assert "errors up 8.3 points to 8.3%" in sentence
    assert "because repairs cost" in sentence


def test_alerts_are_judged_when_the_last_request_arrived(production):
    with open_store(production).snapshot() as view:
        found = alerts_now(view, NOW + 30 * DAY)
    assert found.at == NOW - timedelta(seconds=60) + timedelta(seconds=1)
    assert [(one.title, one.severity) for one in found.firing] == [("API error ratio", "critical")]


def test_the_better_way_is_marked_only_where_that_is_shown(full):
    with open_store(full).snapshot() as view:
        found = ways_compared(view, Scope(kind="eval", mode="emulated", run_ids=("run-e",)), "strategy")
    assert found.best["cost_per_request"] == "all-openai"
    assert "error_ratio" not in found.best  # all alike
    assert "high_tier" not in found.best
    assert set(found.groups) == {"hybrid", "all-anthropic", "all-openai"}


def estimate(value, low=None, high=None, n=500):
    return Estimate(value=value, low=low, high=high, confidence=0.95, method="t", n=n)


def health(**changes):
    usual = {
        "subject": "Production",
        "limit_ms": 8000.0,
        "p95": estimate(4931.2, 4700.0, 5100.0),
        "errors": estimate(0.011, 0.005, 0.02),
        "per_request": estimate(0.01416, 0.0139, 0.0144),
        "per_hour_usd": 5.719,
        "alerts": Alerts(at=NOW, firing=(), judged=4),
        "gate": None,
        "runs": (),
        "change": None,
    }
    return Health(**{**usual, **changes})


def test_the_sentence_of_a_healthy_day():
    found = verdict(health())
    assert found.state == "good"
    assert found.sentence == (
        "Production is healthy: p95 4.93 s of 8.00 s, errors 1.1%, $0.0142 a request, $5.72/h, no alert."
    )


FIRING = Firing(title="Cost spike", group=None, severity="warning", message="", since=None)
CRITICAL = Firing(title="API error ratio", group=None, severity="critical", message="", since=None)
SUSPECT = RunState(run_id="r", name="r", status="completed", suspect=True, planned=1, requests=1)


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({"p95": estimate(9000.0, 8200.0, 9900.0)}, "bad", "p95 is over its limit"),
        ({"p95": estimate(8001.0, 7900.0, 8100.0)}, "caution", "p95 8,001.0 ms of 8.00 s"),
        ({"p95": estimate(7194.0, 6100.0, 8417.0)}, "good", "p95 7.19 s of 8.00 s (95% 6.10 s to 8.42 s)"),
        ({"p95": estimate(None, n=12)}, "unknown", "cannot be judged yet: 12 requests, too few for a p95"),
        ({"errors": estimate(0.09, 0.06, 0.12)}, "bad", "more than 5% errors"),
        ({"errors": estimate(0.06, 0.04, 0.09)}, "good", "errors 6.0%"),
        ({"alerts": Alerts(at=NOW, firing=(FIRING,), judged=4)}, "caution", "alert: Cost spike"),
        ({"alerts": Alerts(at=NOW, firing=(CRITICAL,), judged=4)}, "bad", "alert: API error ratio"),
        ({"gate": LastGate(verdict="FAIL", ts=NOW, run_name="r")}, "bad", "gate FAIL"),
        ({"gate": LastGate(verdict="INCONCLUSIVE", ts=NOW, run_name="r")}, "caution", "gate INCONCLUSIVE"),
        ({"runs": (SUSPECT,)}, "caution", "the load generator was late"),
        ({"per_request": no_estimate("t")}, "good", "cost unknown"),
    ],
)
def test_the_state_is_the_worst_that_is_known(changes, state, said):
    found = verdict(health(**changes))
    assert found.state == state
    assert said in found.sentence


def test_what_cannot_be_compared_is_said_with_its_reason():
    found = Change(before="monday", found=None, refused="latencies are emulated at x1 in A and x10 in B")
    assert (
        change_sentence(found) == "Not held against monday: latencies are emulated at x1 in A and x10 in B."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.014175, "0.0142"), (0.0009996, "0.00100"), (9.996, "10.0"), (4.86, "4.86"),
        (583.4, "583"), (1234.5, "1,234"), (-0.5, "-0.500"),
    ],
)  # fmt: skip
def test_figures_have_three_significant_digits(value, text):
    assert labels.digits(value) == text


def test_durations_are_in_the_unit_of_their_size():
    shown = [labels.duration(ms) for ms in (None, 0.0, 3.14159, 640.0, 1000.0, 4931.2, 59_999.0, 150_000.0)]
    assert shown == ["-", "0 ms", "3.14 ms", "640 ms", "1.00 s", "4.93 s", "60.0 s", "2.50 min"]
