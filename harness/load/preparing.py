"""What can be known before anything is started: scenario, plan and cases, or one sentence what is wrong."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.clock import SYSTEM_CLOCK
from harness.errors import ConfigError, UsageError
from harness.load import preflight
from harness.load.binding import exchange_of
from harness.load.cases import CaseBook, with_recorded_arrivals
from harness.load.plan import LoadPlan
from harness.load.scenario.model import Scenario
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.shipped import scenario_path, shipped_scenarios
from harness.records import new_id
from harness.tasks.briefs import BriefCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run that makes sense.

    Attributes:
        load: its target is empty where one is still to be started.
        first: what the first request asks.
    """

    scenario: Scenario
    load: LoadPlan
    first: BriefCase


def prepared(
    scenario_name: str,
    *,
    store_dir: Path,
    target: str | None,
    name: str | None,
    fields: dict[str, Any],
    confirmed: bool,
) -> Prepared:
    """The plan of a run, checked against its scenario and its cases; nothing is sent.

    Args:
        scenario_name: the name of one that ships, or a file.
        store_dir: where everything is recorded.
        target: base URL; None takes the scenario's own, or what stands in for it.
        name: of the run; `baseline-DATE-TIME` when None.
        fields: of `LoadPlan`, over what the scenario says.
        confirmed: another machine may be loaded.

    Raises:
        UsageError: the plan makes no sense.
        ConfigError: a wrong scenario or data set; names the line.
        TargetError: the target must not be loaded without being asked for.
    """
    path = scenario_path(scenario_name)
    scenario = read_scenario(path)
    target = target or scenario.target
    if target is None and scenario.stand_in is None:
        raise UsageError(f"{path}: names no `target`; say it there, or with --target URL")
    own = scenario_name not in shipped_scenarios()
    load = _load_plan(
        {
            "run_id": new_id("run"),
            "name": name or f"baseline-{SYSTEM_CLOCK.now():%Y-%m-%d-%H%M%S}",
            "target": target or "",
            "scenario": str(path.resolve()) if own else scenario_name,
            "store_dir": store_dir.resolve(),
            "cases_path": None if scenario.cases is None else scenario.cases.resolve(),
            "shape": "constant" if scenario.arrivals_column is None else "recorded",
            "environment": scenario.environment,
            **fields,
        }
    )
    if load.shape == "recorded":
        load = with_recorded_arrivals(load, scenario)
    load.schedule_ns()
    _check_patience(load, scenario)
    if load.target:
        preflight.check_permission(load.target, allowed=confirmed or load.max_requests is not None)
    exchange = exchange_of(load, os.environ, scenario)
    recorded = load.shape == "recorded"
    book = CaseBook(load.cases_path, exchange, seed=load.seed, requests=1, recorded=recorded)
    return Prepared(scenario=scenario, load=load, first=book[0].case)


def _load_plan(fields: dict[str, Any]) -> LoadPlan:
    try:
        return LoadPlan(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{where}: {first['msg']}") from error


def _check_patience(load: LoadPlan, scenario: Scenario) -> None:
    """A poll that may take longer than a request may would always be cut by the latter."""
    patience_s = sum(step.poll.at_most_s for step in scenario.steps if step.poll is not None)
    if patience_s > load.timeout_s:
        source = next(step.source for step in scenario.steps if step.poll is not None)
        problem = f"polls for up to {patience_s:g} s, but a request ends after {load.timeout_s:g} s"
        raise ConfigError(source, f"{problem}: raise --timeout")
