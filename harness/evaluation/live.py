"""The figures of an evaluation under way: what a progress bar shows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from harness.records import Request, RequestStatus, Tier


@dataclass(slots=True, kw_only=True)
class LiveEvaluation:
    """Counts as cases finish.

    Attributes:
        planned: units in all. before: of them finished in an earlier session.
        spent_usd: known cost of this session's cases; `unknown` had none.
        window: attempts that the gate lets run at once, all models.
        batches: the open provider batches in words; empty without any.
    """

    planned: int
    before: int = 0
    finished: int = 0
    failed: int = 0
    high: int = 0
    unknown: int = 0
    spent_usd: Decimal = Decimal(0)
    budget_usd: Decimal | None = None
    in_flight: int = 0
    window: int = 0
    backed_off: int = 0
    batches: str = ""

    @property
    def done(self) -> int:
        """Finished in all sessions."""
        return self.before + self.finished

    def eta_s(self, elapsed_s: float) -> float | None:
        """Seconds left at this session's pace; None before anything finished."""
        if not self.finished:
            return None
        return elapsed_s / self.finished * (self.planned - self.done)

    def take(self, request: Request) -> None:
        """Count one finished case."""
        self.finished += 1
        self.failed += request.status is not RequestStatus.OK
        self.high += request.quality_tier is Tier.HIGH
        if request.cost_usd is None:
            self.unknown += 1
        else:
            self.spent_usd += request.cost_usd


@dataclass(slots=True)
class Stop:
    """Whether an orderly end was asked for; whoever waits is told."""

    asked: bool = False
    _listeners: list[Callable[[], None]] = field(default_factory=list)

    def on_ask(self, listener: Callable[[], None]) -> None:
        """Call this when the end is asked for."""
        self._listeners.append(listener)

    def ask(self) -> None:
        """End in order: nothing new starts, what runs may finish."""
        self.asked = True
        for listener in self._listeners:
            listener()
