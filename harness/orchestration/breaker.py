"""Circuit breakers: a provider that keeps failing is not asked for a while, then tried with one attempt."""

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum

from harness.records import Call, CallOutcome, ErrorKind

PROVIDER_FAILURES = frozenset(
    {ErrorKind.TIMEOUT, ErrorKind.OVERLOADED, ErrorKind.CONNECTION, ErrorKind.UPSTREAM_5XX}
)
"""What says that a provider is not well; a refused key, a bad answer or a rate limit does not."""


class CircuitState(StrEnum):
    """Closed lets attempts through, open none, half-open one."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """When a circuit opens, and for how long.

    Attributes:
        failed_share: of the attempts within the window, 0..1, that open it.
        least_attempts: within the window, below which it never opens.
        window_s: how far back attempts count, seconds.
        open_s: until one attempt may try again, seconds.
    """

    failed_share: float = 0.5
    least_attempts: int = 10
    window_s: float = 30.0
    open_s: float = 15.0


@dataclass(slots=True)
class _Circuit:
    state: CircuitState = CircuitState.CLOSED
    since_ns: int = 0
    attempts: "deque[tuple[int, bool]]" = field(default_factory=deque)


class Breakers:
    """One circuit a provider. Times are nanoseconds of one monotonic clock.

    Attributes:
        transitions: how often a provider's circuit entered a state.
        refused: attempts that were not made, by provider.
    """

    def __init__(self, settings: BreakerSettings | None = None) -> None:
        self.settings = settings or BreakerSettings()
        self.transitions: Counter[tuple[str, ...]] = Counter()
        self.refused: Counter[tuple[str, ...]] = Counter()
        self._circuits: dict[str, _Circuit] = {}

    def state(self, provider: str) -> CircuitState:
        """Where a provider's circuit stands."""
        circuit = self._circuits.get(provider)
        return CircuitState.CLOSED if circuit is None else circuit.state

    @property
    def not_closed(self) -> int:
        """How many circuits are open or half-open."""
        return sum(circuit.state is not CircuitState.CLOSED for circuit in self._circuits.values())

    def wait_ms(self, provider: str, now_ns: int) -> float | None:
        """Ask leave for one attempt: None gives it, else how long the circuit stays open, milliseconds."""
        circuit = self._circuits.get(provider)
        if circuit is None or circuit.state is CircuitState.CLOSED:
            return None
        left_ms = self.settings.open_s * 1_000 - (now_ns - circuit.since_ns) / 1e6
        if left_ms <= 0:  # of a half-open one: the attempt that tries never told how it ended
            self._enter(provider, circuit, CircuitState.HALF_OPEN, now_ns)
            return None
        self.refused[provider,] += 1
        return left_ms

    def seen(self, provider: str, call: Call, now_ns: int) -> None:
        """Learn how an attempt that was made ended."""
        if call.outcome is CallOutcome.REFUSED or call.error_kind is ErrorKind.CANCELLED:
            return
        circuit = self._circuits.setdefault(provider, _Circuit())
        failed = call.error_kind in PROVIDER_FAILURES
        if circuit.state is CircuitState.OPEN:  # begun before it opened
            return
        if circuit.state is CircuitState.HALF_OPEN:
            circuit.attempts.clear()
            after = CircuitState.OPEN if failed else CircuitState.CLOSED
            self._enter(provider, circuit, after, now_ns)
            return
        circuit.attempts.append((now_ns, failed))
        oldest_ns = now_ns - int(self.settings.window_s * 1e9)
        while circuit.attempts and circuit.attempts[0][0] < oldest_ns:
            circuit.attempts.popleft()
        if not failed or len(circuit.attempts) < self.settings.least_attempts:
            return
        share = sum(bad for _, bad in circuit.attempts) / len(circuit.attempts)
        if share >= self.settings.failed_share:
            self._enter(provider, circuit, CircuitState.OPEN, now_ns)

    def _enter(self, provider: str, circuit: _Circuit, state: CircuitState, now_ns: int) -> None:
        circuit.state, circuit.since_ns = state, now_ns
        self.transitions[provider, state.value] += 1
