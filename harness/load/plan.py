"""What a load run is to do: written by the command, read by every generator process, kept with the run."""

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigError, UsageError
from harness.inputs import first_problem, parse_json, read_bytes, read_text
from harness.load import arrivals
from harness.load.arrivals import Spacing
from harness.outputs import replace_file

PLAN_ENV = "HARNESS_LOAD_PLAN"
"""Names the plan's file to a generator process; without it the process makes a plan of its own options."""

PROGRESS_ENV = "HARNESS_LOAD_PROGRESS_FD"
"""The descriptor that a generator process reports its progress to; absent under plain `locust`."""

SCENARIO_ENV = "HARNESS_SCENARIO"
"""A scenario that goes before the plan's: under plain `locust`, and for workers on other machines."""

MASTER_PORT_ENV = "HARNESS_LOAD_MASTER_PORT_FILE"
"""Where Locust's master writes its port, when it was told to let the system pick one."""

IN_FLIGHT_CAP = 2000
REQUEST_TIMEOUT_S = 60.0
DEFAULT_RPS = 1.0
DEFAULT_DURATION_S = 300.0

SHAPES = ("constant", "poisson", "ramp", "spike", "soak", "steps", "replay", "recorded")
_FARTHEST_MS = 1e15
"""Of an arrival to replay: further than any date, as milliseconds since 1970, and exact in a float."""
_MOST_PLAN_BYTES = 64 * 1024 * 1024
_MOST_OFFSETS_BYTES = 256 * 1024 * 1024
_HEADER_NAME = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_ENV_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class LoadPlan(BaseModel):
    """One run's load. Holds no secret: protected headers are named by their environment variable.

    Attributes:
        shape: one of `SHAPES`; `constant` and `poisson` offer `rps` throughout, `soak` is a long constant.
        rps: requests/s offered; where a ramp, spike or staircase starts.
        peak_rps: where a ramp, spike or staircase goes; four times `rps` when not given.
        users: closed loop: so many users, each sending when its last answer came; None is the open loop.
        scenario: the name of one that ships, or the path of a file.
        cases_path: the data set; None for a scenario that names no column.
        replay_ms: start times to repeat, milliseconds; of `recorded` arrivals, the cases' own.
        max_requests: the schedule ends after so many.
        header_env: header name -> environment variable that holds its value.
        id_prefix: request ids are `<id_prefix>-<sequence number>`; the run id when not given.
        workers: generator processes that share the schedule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    run_id: str
    name: str
    target: str
    scenario: str = "baseline"
    store_dir: Path
    cases_path: Path | None = None
    shape: str = "constant"
    rps: float = Field(default=DEFAULT_RPS, ge=0)
    peak_rps: float | None = Field(default=None, ge=0)
    duration_s: float = Field(default=DEFAULT_DURATION_S, gt=0)
    step_count: int = Field(default=5, ge=2, le=1000)
    users: int | None = Field(default=None, ge=1, le=IN_FLIGHT_CAP)
    replay_ms: tuple[float, ...] = ()
    max_requests: int | None = Field(default=None, ge=1)
    seed: int = 0
    header_env: dict[str, str] = Field(default_factory=dict)
    id_prefix: str | None = None
    workers: int = Field(default=1, ge=1, le=64)
    timeout_s: float = Field(default=REQUEST_TIMEOUT_S, gt=0)
    in_flight_cap: int = Field(default=IN_FLIGHT_CAP, ge=1)
    model: str | None = None
    environment: str | None = None

    @property
    def request_prefix(self) -> str:
        """What every request id of the run starts with."""
        return self.id_prefix or self.run_id

    @property
    def closed_loop(self) -> bool:
        """True when users, not a schedule, decide when the next request starts."""
        return self.users is not None

    def schedule_ns(self) -> list[int]:
        """The open loop's start times, nanoseconds from the epoch of the run; empty for a closed loop.

        Raises:
            UsageError: an unknown shape, or a rate that gives no request or too many.
        """
        if self.closed_loop:
            return []
        if self.shape in ("replay", "recorded"):
            return arrivals.replay_ns(self.replay_ms)[: self.max_requests]
        spacing = Spacing.POISSON if self.shape == "poisson" else Spacing.CONSTANT
        schedule = arrivals.schedule_ns(
            self._curve(), spacing=spacing, seed=self.seed, limit=self.max_requests
        )
        if not schedule:
            raise UsageError(f"{self.rps:g} requests/s for {self.duration_s:g} s is not a single request")
        return schedule

    def step_rates(self) -> list[float]:
        """The rates of a staircase, requests/s, lowest first; empty for any other shape."""
        if self.shape != "steps" or self.closed_loop:
            return []
        return [segment.start_rps for segment in self._curve()]

    def offered_requests(self) -> int | None:
        """How many requests the schedule holds without `max_requests`; None for a closed loop."""
        if self.closed_loop:
            return None
        return len(self.model_copy(update={"max_requests": None}).schedule_ns())

    def _curve(self) -> tuple[arrivals.Segment, ...]:
        peak = self.peak_rps if self.peak_rps is not None else 4 * self.rps
        match self.shape:
            case "constant" | "poisson" | "soak":
                return arrivals.baseline(self.rps, self.duration_s)
            case "ramp":
                return arrivals.ramp(self.rps, peak, self.duration_s)
            case "spike":
                return arrivals.spike(self.rps, peak, self.duration_s)
            case "steps":
                return arrivals.steps(self.rps, peak, self.duration_s, count=self.step_count)
            case _:
                raise UsageError(f"no arrivals '{self.shape[:40]}'; there are {', '.join(SHAPES)}")

    def write(self, path: Path) -> None:
        """The plan as a file for the generator processes."""
        replace_file(path, self.model_dump_json().encode())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The plan of a file.

        Raises:
            ConfigError: it is missing or not a plan.
        """
        data = read_bytes(path, _MOST_PLAN_BYTES)
        parse_json(data, str(path))  # refuses what pydantic's own parser would let pass: a key twice, NUL
        try:
            return cls.model_validate_json(data.removeprefix(BOM_UTF8), strict=True)
        except ValidationError as error:
            raise ConfigError(str(path), f"is not a load plan: {first_problem(error)}") from error


def header_variables(texts: list[str]) -> dict[str, str]:
    """`Name: env:VARIABLE` options as header name -> variable.

    Raises:
        UsageError: a value that is written out (it would be stored and seen), or a malformed name.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition(":")
        kind, _, variable = value.strip().partition(":")
        if not _HEADER_NAME.match(name.strip()) or kind != "env" or not _ENV_NAME.match(variable):
            raise UsageError(
                f"--header '{name.strip()[:40]}': write it as 'Name: env:VARIABLE', with the value in that "
                "environment variable, so that it is never stored"
            )
        found[name.strip()] = variable
    return found


def header_values(variables: dict[str, str], env: dict[str, str]) -> dict[str, str]:
    """The headers with their values from the environment.

    Raises:
        UsageError: a variable that is not set, or whose value cannot stand in a header.
    """
    values: dict[str, str] = {}
    for name, variable in variables.items():
        value = env.get(variable, "")
        if not value:
            raise UsageError(f"the environment variable {variable} (for the header {name}) is not set")
        if not value.isascii() or not value.isprintable():
            raise UsageError(f"the value of {variable} cannot stand in a header: it is not printable ASCII")
        values[name] = value
    return values


def replay_offsets(path: Path) -> tuple[float, ...]:
    """Start times in milliseconds from a file: one number a line, or a JSON list.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    text = read_text(path, _MOST_OFFSETS_BYTES)
    is_list = text.lstrip().startswith("[")
    values: Sequence[object] = text.split()
    if is_list:
        values = [None if isinstance(value, str) else value for value in parse_json(text.encode(), str(path))]
    return tuple(_offset(path, number, value) for number, value in enumerate(values, start=1))


def _offset(path: Path, number: int, value: object) -> float:
    problem = f"value {number} is not a time; start times are milliseconds, one a line or a JSON list"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ConfigError(str(path), problem)
    try:
        offset = float(value)
    except (ValueError, OverflowError) as error:
        raise ConfigError(str(path), problem) from error
    if not abs(offset) < _FARTHEST_MS:
        raise ConfigError(str(path), f"value {number} is not a finite number of milliseconds")
    return offset
