"""What the n-th request asks: every case once a round, each round in an order of its own, by seed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, UsageError
from harness.inputs import ABSENT, missing_column, value_named
from harness.load.bound import Parcel
from harness.load.exchange import Exchange
from harness.load.plan import LoadPlan
from harness.load.scenario.model import Scenario
from harness.orchestration.datasets import load_dataset, load_plain_dataset
from harness.tasks.briefs import BriefCase, round_order

MAX_ROUNDS = 16
"""Orders that are worked out in advance; a longer run goes through them again."""

MOST_PLACES = 1_000_000
"""A large set repeats its orders sooner, so that they stay small; one whole round is always kept."""

_FARTHEST_S = 1e12


class CaseBook:
    """Cases by sequence number, worked out before the run.

    Args:
        path: a data set: JSONL, YAML, CSV or text; None for a scenario that names no column.
        exchange: makes the requests, and knows which columns they need.
        seed: of the order.
        requests: how many rounds are needed; None for as many as are kept.
        recorded: the cases follow each other as they were recorded, not by seed.

    Raises:
        ConfigError: a wrong data set, or a case without a column that the scenario names.
    """

    def __init__(
        self,
        path: Path | None,
        exchange: Exchange,
        *,
        seed: int,
        requests: int | None,
        recorded: bool = False,
    ) -> None:
        cases = cases_of(exchange.scenario, path)
        parcels = [exchange.bound.parcel(case) for case in cases]
        if recorded:
            order = [place for place, _ in recorded_arrivals(cases, exchange.scenario)]
            self._parcels = [parcels[place] for place in order]
            return
        ids = [case.case_id for case in cases]
        most = max(1, min(MAX_ROUNDS, MOST_PLACES // len(cases)))
        rounds = most if requests is None else min(most, max(1, -(-requests // len(cases))))
        self._parcels = [
            parcels[place] for lap in range(rounds) for place in round_order(ids, lap, seed=seed)
        ]

    def __getitem__(self, seq: int) -> Parcel:
        """What arrival `seq` asks."""
        return self._parcels[seq % len(self._parcels)]


def cases_of(scenario: Scenario, path: Path | None) -> Sequence[BriefCase]:
    """The cases of a scenario; one without columns for a scenario that names none.

    A scenario with a `task` reads them as that task's data set; else every column is its owner's.

    Raises:
        ConfigError: a wrong data set, or none where a column is named.
    """
    if path is not None:
        return load_dataset(path) if scenario.task is not None else load_plain_dataset(path)
    named = next(((name, source) for name, source in scenario.columns.items() if name not in _OWN), None)
    if named is not None:
        name, source = named
        raise ConfigError(
            source, f"asks for a column '{name}', but there are no cases: say `cases` or --cases"
        )
    return (BriefCase(case_id=scenario.name, body={}, where=scenario.source),)


_OWN = ("run_id", "request_id", "model", "limit_field")


def with_recorded_arrivals(load: LoadPlan, scenario: Scenario) -> LoadPlan:
    """The plan with the times at which its cases were asked.

    Raises:
        UsageError: users, not times, say when its requests start.
        ConfigError: as `recorded_arrivals`.
    """
    if load.closed_loop:
        raise UsageError("recorded arrivals are an open loop: they do not go with --users")
    found = recorded_arrivals(cases_of(scenario, load.cases_path), scenario)
    return load.model_copy(update={"replay_ms": tuple(moment_ms for _, moment_ms in found)})


def recorded_arrivals(cases: Sequence[BriefCase], scenario: Scenario) -> list[tuple[int, float]]:
    """Each case's place in the file and when it was asked, milliseconds, earliest first.

    Raises:
        ConfigError: a case without a time, or with one that is none; names its line.
    """
    column = scenario.arrivals_column or "at"
    told = [(place, _moment_ms(case, column)) for place, case in enumerate(cases)]
    return sorted(told, key=lambda arrival: arrival[1])


def _moment_ms(case: BriefCase, column: str) -> float:
    value: Any = value_named(case.columns, column)
    if value is ABSENT:
        raise ConfigError(case.where, f"{missing_column(column, case.columns)}, which recorded arrivals need")
    seconds = _seconds(value)
    if seconds is None or not abs(seconds) < _FARTHEST_S:
        raise ConfigError(case.where, f"'{column}' is no time: write seconds, or an ISO 8601 moment")
    return seconds * 1000


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
