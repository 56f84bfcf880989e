"""What a generator process tells the command that started it: JSON lines through a pipe.

Figures for the progress bar and for stopping early. The records themselves go through the spool alone.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One finished request: arrival number, latency from the intended start, lateness, milliseconds."""

    seq: int
    latency_ms: float
    lateness_ms: float
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One message of one worker. Counts are totals since its start; `finished` is what is new.

    Attributes:
        overdue: (arrival number, age in milliseconds) of requests still in flight after long.
        cost_usd: sum of the known costs, as decimal digits.
        ended: the worker has sent and read everything, and its records are durable.
        lost_reason: why records could not be written.
    """

    worker: int
    sent: int = 0
    in_flight: int = 0
    finished: list[Finished] = field(default_factory=list)
    overdue: list[tuple[int, float]] = field(default_factory=list)
    cost_usd: str = "0"
    cost_unknown: int = 0
    telemetry_missing: int = 0
    telemetry_broken: int = 0
    cap_reached: int = 0
    lost_records: int = 0
    lost_reason: str | None = None
    modes: list[str] = field(default_factory=list)
    ended: bool = False

    def line(self) -> bytes:
        """The message as one line."""
        fields = asdict(self)
        fields["finished"] = [[f.seq, f.latency_ms, f.lateness_ms, int(f.ok)] for f in self.finished]
        return json.dumps(fields, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """A message back from its line."""
        fields: dict[str, Any] = json.loads(line)
        fields["finished"] = [
            Finished(seq=seq, latency_ms=latency, lateness_ms=late, ok=bool(ok))
            for seq, latency, late, ok in fields["finished"]
        ]
        fields["overdue"] = [(seq, age) for seq, age in fields["overdue"]]
        return cls(**fields)


class ReportStream:
    """Cuts what arrives through a pipe into messages; a torn last line waits for its end."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Report]:
        """The messages that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line:
                yield Report.parse(line)
