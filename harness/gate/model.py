"""What the gate is told, what it is asked, and what it answers: plain data."""

import math
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harness.analysis.estimate import Estimate
from harness.errors import UsageError
from harness.records import GateVerdict, ProviderMode

if TYPE_CHECKING:
    from harness.gate.figure_limit import FigureLimit

DEFAULT_MAX_P95_MS = 8000.0

P95_CHECK = "p95_latency"

_SEVERITY = {GateVerdict.PASS: 0, GateVerdict.INCONCLUSIVE: 1, GateVerdict.FAIL: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLimits:
    """What a run must keep to. None switches a check off.

    Attributes:
        max_p95_ms: milliseconds, from the intended start.
        max_error_ratio: 0..1; every request that is not ok counts, 429 included.
        min_rps: answers per second.
        max_cost_per_request_usd: mean over the requests.
        min_high_tier_ratio: 0..1 of all requests.
        confidence: None lets point estimates decide; 0.95 lets the 95% bounds decide.
        require_live: anything that is not live becomes INCONCLUSIVE.
        figures: limits on any declared figure.
    """

    max_p95_ms: float = DEFAULT_MAX_P95_MS
    max_error_ratio: float = 0.0
    min_rps: float | None = None
    max_cost_per_request_usd: Decimal | None = None
    min_high_tier_ratio: float | None = None
    confidence: float | None = None
    require_live: bool = False
    figures: tuple["FigureLimit", ...] = ()

    def __post_init__(self) -> None:
        """Refuse limits that are no numbers: nothing exceeds nan, and everything would pass."""
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, float | Decimal) and not math.isfinite(value):
                raise UsageError(f"{name} must be a number, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The interval beside a figure; None is no bound on that side."""

    low: float | None
    high: float | None
    confidence: float
    method: str

    @classmethod
    def of(cls, found: Estimate) -> "Bounds":
        """The interval of a figure."""
        return cls(low=found.low, high=found.high, confidence=found.confidence, method=found.method)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule applied: the figure, its limit, and one sentence.

    Attributes:
        name: stable, for machines: `p95_latency`, `error_ratio`, ...
        verdict: of this check alone.
        sentence: what a person reads.
        value: None when unknown, or above every limit (`over_limit`).
        limit: what it was held against; None for checks without a number.
        unit: of value and limit.
        n: requests the figure rests on.
        interval: None where it has none.
        over_limit: the figure is a failed request's: above every limit.
    """

    name: str
    verdict: GateVerdict
    sentence: str
    value: float | Decimal | None = None
    limit: float | Decimal | None = None
    unit: str | None = None
    n: int | None = None
    interval: Bounds | None = None
    over_limit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """The verdict on one run, or on one strategy of it, and the checks behind it."""

    run_id: str
    run_name: str
    provider_mode: ProviderMode | None
    checks: tuple[Check, ...] = field(default_factory=tuple)
    baseline_run_id: str | None = None
    strategy: str | None = None
    tags: str | None = None

    @property
    def verdict(self) -> GateVerdict:
        """The gravest verdict of the checks: FAIL beats INCONCLUSIVE beats PASS; no check is INCONCLUSIVE."""
        verdicts = [check.verdict for check in self.checks] or [GateVerdict.INCONCLUSIVE]
        return max(verdicts, key=_SEVERITY.__getitem__)

    @property
    def mode_label(self) -> str:
        """live, emulated, fixtures, mixed or unknown."""
        return self.provider_mode.value if self.provider_mode is not None else "unknown"

    @property
    def headline(self) -> str:
        """The verdict line: never without what answered."""
        if self.verdict is GateVerdict.PASS:
            reasons = [check.sentence for check in self.checks if check.name == P95_CHECK]
        else:
            reasons = [check.sentence for check in self.checks if check.verdict is self.verdict]
        why = f": {reasons[0]}" if reasons else ""
        of = f", strategy {self.strategy}" if self.strategy else ""
        part = f", {self.tags} alone" if self.tags else ""
        return f"{self.verdict} ({self.mode_label} providers) {self.run_name}{of}{part}{why}"

    def as_json(self) -> dict[str, Any]:
        """The report as `harness gate --json` prints it."""
        return {
            "schema": "harness.gate.v1",
            "run_id": self.run_id,
            "run_name": self.run_name,
            "strategy": self.strategy,
            "tags": self.tags,
            "verdict": self.verdict,
            "provider_mode": self.mode_label,
            "baseline_run_id": self.baseline_run_id,
            "headline": self.headline,
            "checks": [asdict(check) for check in self.checks],
        }
