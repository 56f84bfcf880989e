"""What a run tells of itself: its configuration as it starts, its summary as it ends; all keys stand here.

Both are stored as JSON objects in `runs.config`. A run of an older version lacks keys, one of a newer version
has more: what is missing or unreadable is unknown (None, empty), what is not known here is kept.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

_STORED = {"stored": True}
SUMMARY_KEY = "summary"
"""Where the summary stands in the stored configuration."""

MoneyText = Annotated[Decimal, PlainSerializer(str)]
"""USD, written as text."""


class Told(BaseModel):
    """Base of all: typed where it is written, lenient where it is read."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True, protected_namespaces=())

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """What a stored object tells; a value of another type than it should have is unknown."""
        return cls.model_validate(stored, context=_STORED)

    @classmethod
    def path(cls, *names: str) -> str:
        """The JSON path of a key in `runs.config`, for SQL.

        Raises:
            KeyError: it is not declared.
        """
        cls.model_fields[names[0]]  # a misspelt key would read as unknown for ever
        return ".".join(("$", *((SUMMARY_KEY,) if issubclass(cls, EndSummary) else ()), *names))

    def as_json(self) -> dict[str, Any]:
        """As stored: what was told, no more."""
        return self.model_dump(exclude_unset=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _unreadable_is_unknown(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return handler(value)
        except ValidationError:
            if info.context is not _STORED or info.field_name is None:
                raise
            return cls.model_fields[info.field_name].get_default(call_default_factory=True)


class RunConfig(Told):
    """What a run of any kind may tell as it starts.

    Attributes:
        emulator_speed: what emulated latencies are divided by; None for their own pace.
        strategies: their names, in order.
        planned: requests to make.
    """

    emulator_speed: float | None = None
    strategies: list[str] = []
    planned: int | None = None


class LoadSettings(Told):
    """A load plan as it is kept with its run; `harness.load.plan.LoadPlan` says what the fields mean."""

    shape: str | None = None
    rps: float | None = None
    duration_s: float | None = None
    users: int | None = None
    max_requests: int | None = None


class BaselineConfig(RunConfig):
    """Of a load run; `started_by` is Locust's own command where that started it."""

    load: LoadSettings = LoadSettings()
    embedded: bool | None = None
    emulator_seed: int | None = None
    limit_ms: float | None = None
    stop_early: bool | None = None
    started_by: str | None = None


class EvaluationConfig(RunConfig):
    """Of an evaluation: all that is needed to go on with it, and what was foretold; no secrets."""

    suite: str | None = None
    suite_reference: str | None = None
    dataset_digest: str | None = None
    task: str | None = None
    strategy_references: list[str] = []
    repeats: int | None = None
    cases: int | None = None
    judge: str | None = None
    graders: list[str] = []
    judges: list[str] = []
    graders_digest: str | None = None
    budget_usd: MoneyText | None = None
    concurrency: int | None = None
    batch: bool = False
    cache: bool = False
    models: list[str] = []
    prices: list[str] = []
    store_content: bool = False
    stop_early: bool = False
    embedded: bool | None = None
    emulator_seed: int | None = None
    emulator_defect_rate: float | None = None
    emulator_faults: str | None = None
    emulator_rpm: int | None = None
    routes: dict[str, Any] = {}
    cost_max_usd: MoneyText | None = None
    forecast: dict[str, Any] | None = None
    imported: dict[str, Any] | None = None


class ServiceConfig(RunConfig):
    """Of a service's lifetime.

    Attributes:
        shadow_of: the run whose requests a shadow answered as well; None for a service itself.
        shadow_share: of those requests, 0..1.
    """

    strategy: str | None = None
    strategy_type: str | None = None
    routes: list[dict[str, Any]] = []
    cost_max_usd: Decimal | None = None
    shadow_of: str | None = None
    shadow_share: float | None = None


class ImportConfig(RunConfig):
    """Of recorded outcomes from elsewhere; `imported` says from which table, by which columns."""

    imported: dict[str, Any] | None = None


class EndSummary(Told):
    """What a run of any kind may tell as it ends.

    Attributes:
        planned, finished: requests.
        unfinished: sent and never recorded.
        suspect: this machine was the bottleneck; None where nobody looked.
        late: which of this machine's processes were so late that slowness may be theirs.
        told: another tool's own figures of the run (`records.told_by_tool`).
    """

    planned: int | None = None
    finished: int | None = None
    unfinished: int | None = None
    suspect: bool | None = None
    suspect_reasons: list[str] = []
    late: list[str] = []
    told: dict[str, Any] | None = None
    telemetry_missing: int | None = None
    telemetry_broken: int | None = None

    @property
    def suspicion(self) -> str | None:
        """Why the run is suspect, as a clause; None for one that is not."""
        if not self.suspect:
            return None
        return "; ".join(self.suspect_reasons) or "the load generator was late"


class BaselineSummary(EndSummary):
    """Of a load run.

    Attributes:
        emulator_late_p99_ms, ...: how late an embedded run's own processes were, by their own clocks.
        sequential: the test that may have ended it early.
        steps: of a staircase, and the highest rate within the limit.
    """

    sent: int | None = None
    ended_by: str | None = None
    lateness_p99_ms: float | None = None
    emulator_late_p99_ms: float | None = None
    emulator_late_max_ms: float | None = None
    service_late_p99_ms: float | None = None
    service_late_max_ms: float | None = None
    empty_columns: list[str] = []
    limit_ms: float | None = None
    sequential: dict[str, Any] | None = None
    sustained_rps: float | None = None
    steps: list[dict[str, Any]] | None = None


class EvaluationSummary(EndSummary):
    """Of one session of an evaluation; USD."""

    budget_usd: MoneyText | None = None
    committed_usd: MoneyText | None = None
    sent_calls: int | None = None
    wasted_calls: int | None = None
    possibly_paid_twice: list[dict[str, Any]] = []
    judgements_possibly_paid_twice: list[dict[str, Any]] = []
    stop_early: dict[str, Any] | None = None
    cache: dict[str, Any] | None = None
    problem: str | None = None


class ServiceSummary(EndSummary):
    """Of a service's lifetime: how its requests ended, and the events that slow sinks lost.

    A shadow's `abandoned` were cut by the service's end, its `skipped` not begun because too many ran.
    """

    answered: int | None = None
    failed: int | None = None
    abandoned: int | None = None
    skipped: int | None = None
    dropped: dict[str, int] = {}


class ImportSummary(EndSummary):
    """Of an import: what became of its rows; outcomes without a price, by why."""

    rows: int | None = None
    outcomes: int | None = None
    bad_rows: int | None = None
    unpriced: dict[str, int] = {}
