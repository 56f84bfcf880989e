"""What the gate is told, what it is asked, and what it answers: plain data."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from harness.analysis.sample import RunFacts, provider_mode
from harness.errors import UsageError
from harness.records import Call, GateVerdict, ProviderMode, Request, RunKind, RunStatus

DEFAULT_MAX_P95_MS = 8000.0

P95_CHECK = "p95_latency"

_SEVERITY = {GateVerdict.PASS: 0, GateVerdict.INCONCLUSIVE: 1, GateVerdict.FAIL: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInput:
    """One run as the gate sees it.

    Attributes:
        provider_mode: what answered; None is unknown, and said.
        suspect_reasons: why the generator, not the target, may have been slow; empty when it was not.
        unfinished: requests that were sent and never recorded as ended.
        emulator_speed: what emulated latencies were divided by; 1 for realistic ones.
        requests: all of them, warm-ups included; the gate leaves those out itself.
        calls: attempts, for the cost of failed requests; may be empty.
    """

    run_id: str
    name: str
    kind: RunKind
    status: RunStatus
    provider_mode: ProviderMode | None
    suspect_reasons: tuple[str, ...]
    requests: Sequence[Request]
    calls: Sequence[Call] = ()
    unfinished: int = 0
    emulator_speed: float = 1.0


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
    """

    max_p95_ms: float = DEFAULT_MAX_P95_MS
    max_error_ratio: float = 0.0
    min_rps: float | None = None
    max_cost_per_request_usd: Decimal | None = None
    min_high_tier_ratio: float | None = None
    confidence: float | None = None
    require_live: bool = False

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
    """The verdict on one run and the checks behind it."""

    run_id: str
    run_name: str
    provider_mode: ProviderMode | None
    checks: tuple[Check, ...] = field(default_factory=tuple)
    baseline_run_id: str | None = None

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
        return f"{self.verdict} ({self.mode_label} providers) {self.run_name}{why}"

    def as_json(self) -> dict[str, Any]:
        """The report as `harness gate --json` prints it."""
        return {
            "schema": "harness.gate.v1",
            "run_id": self.run_id,
            "run_name": self.run_name,
            "verdict": self.verdict,
            "provider_mode": self.mode_label,
            "baseline_run_id": self.baseline_run_id,
            "headline": self.headline,
            "checks": [asdict(check) for check in self.checks],
        }


def gate_input(run: RunFacts, requests: Sequence[Request], calls: Sequence[Call] = ()) -> GateInput:
    """The gate's view of a run from a store or a report file."""
    reasons = tuple(str(reason) for reason in run.summary.get("suspect_reasons") or ())
    if run.summary.get("suspect") and not reasons:
        reasons = ("the load generator marked the run as suspect",)
    return GateInput(
        run_id=run.run_id,
        name=run.name,
        kind=run.kind,
        status=run.status,
        provider_mode=provider_mode(requests, run),
        suspect_reasons=reasons,
        requests=requests,
        calls=calls,
        unfinished=int(run.summary.get("unfinished") or 0),
        emulator_speed=float(run.config.get("emulator_speed") or 1.0),
    )
