"""The truth: one line for every request, written whole when the request ends."""

import logging
import os
from collections import Counter, deque
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from harness.emulator.bill import TokenBill
from harness.errors import UsageError
from harness.lateness import Lateness, lateness_of
from harness.outputs import write_whole

LOG = logging.getLogger("harness.emulator")

KEPT_IN_MEMORY = 100_000


@dataclass(slots=True, kw_only=True)
class LedgerEntry:
    """What the emulator really did for one request. Tokens are None where nothing was processed.

    Attributes:
        seq: in order of arrival, from 1.
        call_id: the client's `X-Client-Request-Id`, or the invocation id that AWS's SDKs send.
        wire: `anthropic.messages`, `openai.chat`, `openai.responses`, `gemini.content`, `bedrock.converse`;
            `.batch` after it for an item of a batch.
        model: as requested.
        stream: whether a stream was asked for.
        occurrence: how many times this very body had come, this one included.
        received_at: UTC, ISO 8601.
        received_ns: the machine's monotonic clock (`time.perf_counter_ns`).
        intended_ms: the drawn latency, scaled by the speed, delays of faults included.
        intended_ttft_ms: the drawn time to first token, likewise.
        first_byte_ms: first byte of the answer handed to the socket, from `received_ns`.
        finished_ms: last byte handed to the socket, from `received_ns`.
        late_ms: the most that a piece of the answer was ready after its moment; None where none was due.
        status: HTTP status; None when no answer left.
        outcome: `ok`, `error`, `cut`, `reset` or `disconnected` (the client went away).
        fault: the fault that struck, if any.
        answer: what kind of prompt it was (`draft`, `repair`, ...), and `defect` the broken rule put in.
        verdict: what a judge chose: the label of the winner, `tie`, or its score 0..1.
        finish: why the answer ended, in the wire's own word.
        input_tokens: total, cached tokens included.
        cost_usd: by the emulator's own price table, as decimal digits; None when it has no price.
        response_id, request_id: as sent to the client, the former without the wire's prefix.
    """

    seq: int
    wire: str
    received_at: str
    received_ns: int
    call_id: str | None = None
    run_id: str | None = None
    model: str | None = None
    stream: bool = False
    occurrence: int | None = None
    intended_ms: float | None = None
    intended_ttft_ms: float | None = None
    first_byte_ms: float | None = None
    finished_ms: float | None = None
    late_ms: float | None = None
    status: int | None = None
    outcome: str = "error"
    fault: str | None = None
    answer: str | None = None
    defect: str | None = None
    verdict: str | None = None
    finish: str | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: str | None = None
    response_id: str | None = None
    request_id: str | None = None

    def charge(self, bill: TokenBill, cost_usd: Decimal | None) -> None:
        """Write down what was billed."""
        self.input_tokens, self.output_tokens = bill.total_input, bill.output
        self.cache_read_tokens = bill.cache_read
        self.cache_write_5m_tokens, self.cache_write_1h_tokens = bill.cache_write_5m, bill.cache_write_1h
        self.reasoning_tokens = bill.reasoning
        self.cost_usd = None if cost_usd is None else f"{cost_usd:f}"


class Ledger:
    """Appends entries with one unbuffered write each, so that a killed emulator leaves whole lines."""

    def __init__(self, path: Path | None) -> None:
        self.entries: deque[LedgerEntry] = deque(maxlen=KEPT_IN_MEMORY)
        self.in_flight = 0
        self._count = 0
        self._unwritten = 0
        self._by: dict[str, Counter[str]] = {
            name: Counter() for name in ("wire", "model", "status", "outcome", "fault", "answer", "defect")
        }
        self._tokens: Counter[str] = Counter()
        self._cost_usd = Decimal(0)
        self._uncosted = 0
        self._fd: int | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            except OSError as error:
                raise UsageError(f"cannot write the ledger {path}: {error.strerror}") from error

    def next_seq(self) -> int:
        """The next arrival's number."""
        self._count += 1
        return self._count

    def write(self, entry: LedgerEntry) -> None:
        """Record an ended request."""
        self.entries.append(entry)
        self._tally(entry)
        if self._fd is not None:
            try:
                write_whole(self._fd, orjson.dumps(asdict(entry)) + b"\n")
            except OSError as error:  # the answer has been given: the gap is counted, no request fails for it
                self._unwritten += 1
                if self._unwritten == 1:
                    LOG.warning("the ledger cannot be written (%s); its gaps are counted", error.strerror)

    def lateness(self, since: int) -> Lateness:
        """How late the answers to requests after number `since` were."""
        return lateness_of(
            entry.late_ms for entry in self.entries if entry.seq > since and entry.late_ms is not None
        )

    def stats(self) -> dict[str, Any]:
        """Counts, token sums and cost of everything recorded so far."""
        return {
            "received": self._count,
            "recorded": sum(self._by["wire"].values()),
            "in_flight": self.in_flight,
            "unwritten": self._unwritten,
            **{f"by_{name}": dict(counts) for name, counts in self._by.items()},
            "tokens": dict(self._tokens),
            "cost_usd": str(self._cost_usd),
            "requests_without_cost": self._uncosted,
        }

    def close(self) -> None:
        """Close the file; nothing is buffered, so nothing is lost without it."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _tally(self, entry: LedgerEntry) -> None:
        for name, counts in self._by.items():
            value = getattr(entry, name)
            if value is not None:
                counts[str(value)] += 1
        for name in (
            "input_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
            "reasoning_tokens",
        ):
            self._tokens[name] += getattr(entry, name) or 0
        if entry.cost_usd is not None:
            self._cost_usd += Decimal(entry.cost_usd)
        elif entry.input_tokens is not None:
            self._uncosted += 1
