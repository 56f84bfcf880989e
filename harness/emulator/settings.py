"""How one emulator is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.emulator.answers import JudgeLeanings
from harness.emulator.faults import FaultRule
from harness.emulator.models import ModelProfile
from harness.emulator.quantile import LatencyCurve
from harness.errors import UsageError

DEFAULT_SEED = 20_241_022


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Everything that decides what the emulator does.

    Attributes:
        seed: of every draw.
        speed: drawn latencies are divided by it; 1 is realistic, 20 is twenty times faster.
        defect_rate: share of drafts with a broken rule, for every model; None leaves each model its own.
        rpm: requests per minute each model may take; None for no limit.
        faults: rules in force at the start.
        ledger: file for the truth, one JSON line a request; None keeps it in memory only.
        latency: curves by model id, in place of the default ones.
        chunks: most content events in one stream.
        judge: what sways every model when it is asked to judge.
    """

    seed: int = DEFAULT_SEED
    speed: float = 1.0
    defect_rate: float | None = None
    rpm: int | None = None
    faults: tuple[FaultRule, ...] = ()
    ledger: Path | None = None
    latency: Mapping[str, LatencyCurve] = field(default_factory=dict)
    chunks: int = 8
    judge: JudgeLeanings = field(default_factory=JudgeLeanings)

    def __post_init__(self) -> None:
        """Refuse figures that mean nothing."""
        if not 0 < self.speed < float("inf"):
            raise UsageError(f"--speed must be a number above 0, not {self.speed}")
        if self.defect_rate is not None and not 0 <= self.defect_rate <= 1:
            raise UsageError(f"--defect-rate must be in 0..1, not {self.defect_rate}")
        if self.rpm is not None and self.rpm < 1:
            raise UsageError(f"--rpm must be at least 1, not {self.rpm}")
        if self.chunks < 1:
            raise UsageError(f"--chunks must be at least 1, not {self.chunks}")

    def curve(self, model: str, profile: ModelProfile) -> LatencyCurve:
        """The latency of a model at speed 1: the truth that tests compare with."""
        return self.latency.get(model, profile.latency)
