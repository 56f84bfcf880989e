"""The four rules over a day with planted incidents: each fires once at its time, resolves, nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.alerts import backtest, check_alerts, evaluate, load_rules, series
from harness.records import AlertState
from harness.store import Snapshot, ingest_events, open_store
from tests.alerts.day import EVERY, at, write_day

PLANTED = [
    ("cost_spike", "firing", "07:05"),
    ("cost_spike", "resolved", "08:05"),
    ("api_error_ratio", "firing", "10:05"),
    ("api_error_ratio", "resolved", "10:20"),
    ("fixtures_in_production", "firing", "13:05"),
    ("fixtures_in_production", "resolved", "13:10"),
    ("fixtures_in_production", "firing", "15:35"),
    ("fixtures_in_production", "resolved", "15:40"),
    # 10% mixed, then all: the share of an hour passes +20 points after 13.3 minutes.
    ("mixed_ratio_change", "firing", "18:15"),
    ("mixed_ratio_change", "resolved", "19:50"),
]
SILENCE = [
    ("fixtures_in_production", "no_data", "04:05"),
    ("api_error_ratio", "no_data", "04:15"),
    ("cost_spike", "no_data", "05:00"),
]


def test_each_rule_fires_at_its_planted_time_once_and_resolves(day_store: Path) -> None:
    with open_store(day_store).snapshot() as view:
        history = backtest(view, load_rules(), at("02:00"), at("23:55"), EVERY)
    told = [(e.rule, e.state.value, e.ts) for e in history if e.state in ("firing", "resolved")]
    assert told == [(rule, state, at(clock)) for rule, state, clock in PLANTED]
    silent = {(e.rule, e.ts) for e in history if e.state is AlertState.NO_DATA}
    assert {(rule, at(clock)) for rule, _, clock in SILENCE} <= silent
    assert {rule for rule, _ in silent} == {rule.name for rule in load_rules()}
    assert all(at("04:00") < ts <= at("07:00") for _, ts in silent)


# Written by hand against the public tables, without anything of harness.alerts.
BY_HAND = {
    "cost_spike": (
        (
            "SELECT sum(cost_usd), count(cost_usd) FROM requests WHERE environment = 'production' "
            "AND started_at > ? AND started_at <= ?"
        ),
        60,
    ),
    "api_error_ratio": (
        (
            "SELECT avg(CASE status WHEN 'ok' THEN 0 ELSE 1 END), count(*) FROM requests "
            "WHERE started_at > ? AND started_at <= ?"
        ),
        15,
    ),
    "fixtures_in_production": (
        (
            "SELECT count(*) FILTER ('fixtures' IN (draft_source, repair_source)), count(*) FROM requests "
            "WHERE started_at > ? AND started_at <= ?"
        ),
        5,
    ),
}
MIXED = """SELECT count(*) FILTER (mixed_providers), count(*) FROM requests
    WHERE status = 'ok' AND started_at > ? AND started_at <= ?"""


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize("clock", ["03:00", "04:10", "07:30", "10:10", "13:05", "15:35", "18:40", "19:20"])
def test_the_values_are_those_of_sql_written_by_hand(day_store: Path, clock: str) -> None:
    end = at(clock)
    with open_store(day_store).snapshot() as view:
        found = {state.rule.name: state for state in evaluate(view, load_rules(), end)}
        for name, (sql, minutes) in BY_HAND.items():
            ((value, n),) = view.rows(sql, [naive(end - timedelta(minutes=minutes)), naive(end)])
            if n == 0:
                assert (found[name].state, found[name].value) == (AlertState.NO_DATA, None)
            else:
                assert found[name].value == pytest.approx(float(value), abs=1e-12)
                assert found[name].n == n
        hour = timedelta(hours=1)
        now = mixed_share(view, end - hour, end)
        before = mixed_share(view, end - 2 * hour, end - hour)
        if now is not None and before is not None:
            assert found["mixed_ratio_change"].value == pytest.approx(now - before, abs=1e-12)


def mixed_share(view: Snapshot, start: datetime, end: datetime) -> float | None:
    ((mixed, n),) = view.rows(MIXED, [naive(start), naive(end)])
    return mixed / n if n else None


def test_a_series_is_the_evaluation_at_every_tick(day_store: Path) -> None:
    rules = load_rules()
    with open_store(day_store).snapshot() as view:
        for rule in rules:
            drawn = series(view, rule, at("06:00"), at("08:00"), timedelta(minutes=30))
            single = [evaluate(view, [rule], state.at)[0] for state in drawn]
            assert drawn == single
            assert [state.at for state in drawn] == [
                at(f"0{6 + n // 2}:{30 * (n % 2):02d}") for n in range(5)
            ]


def test_checks_record_what_a_backtest_says_and_survive_restarts(tmp_path: Path) -> None:
    """Every check here opens the store anew, as a cron job would."""
    store = tmp_path / "store"
    ingest_events(store, write_day(tmp_path / "day.jsonl", "09:30", "10:30"))
    rules = load_rules()
    for clock in ("10:00", "10:05", "10:06", "10:15", "10:20", "10:21"):
        check_alerts(store, rules, at(clock))
    assert check_alerts(store, rules, at("10:02")).changes == []
    with open_store(store).snapshot() as view:
        rows = view.rows("SELECT rule, state, ts FROM alert_events WHERE state <> 'no_data' ORDER BY ts")
    assert rows == [
        ("api_error_ratio", "firing", at("10:05")),
        ("api_error_ratio", "resolved", at("10:20")),
    ]


@pytest.mark.parametrize("fields", [{"environment": "demo"}, {"environment": None}])
def test_what_is_not_production_never_fires(tmp_path: Path, fields: dict[str, object]) -> None:
    ingest_events(tmp_path / "store", write_day(tmp_path / "day.jsonl", "12:30", "16:00", **fields))
    with open_store(tmp_path / "store").snapshot() as view:
        history = backtest(view, load_rules(), at("12:00"), at("17:00"), timedelta(minutes=5))
    assert {event.state for event in history} == {AlertState.NO_DATA}
