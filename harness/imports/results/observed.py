"""What a result file holds: requests as another tool saw them, and what it told of the whole."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from harness.records import RequestStatus, RunKind, RunStatus
from harness.records.told_by_tool import Grain, ToldFigure

_MOST_MS = 10**9
_LEAST_EPOCH_S, _MOST_EPOCH_S = 9.4e8, 4.1e9
"""1999 to 2099: a number of seconds outside it is on a clock of its own, and no moment."""


class Begins(StrEnum):
    """Where a tool's latency begins."""

    SCHEDULE = "schedule"
    SEND = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One request as the tool saw it; None is unknown.

    Attributes:
        number: its place in the file, from 1.
        latency_ms: from the intended start where the tool has one, else from the send.
        service_ms: from the send.
        input_tokens: all of them, cached ones included.
        from_cache: the tool's own cache gave the answer: untimed, and nothing was spent.
        told_cost_usd: what the tool says it cost; never taken for ours.
        score: 0..1; None is ungraded.
    """

    number: int
    status: RequestStatus = RequestStatus.OK
    http_status: int | None = None
    error_message: str | None = None
    warmup: bool = False
    provider: str | None = None
    model: str | None = None
    strategy: str | None = None
    scenario: str | None = None
    case_id: str | None = None
    repeat: int | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    latency_ms: float | None = None
    service_ms: float | None = None
    ttft_ms: float | None = None
    itl_ms: float | None = None
    stream_chunks: int | None = None
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    score: float | None = None
    from_cache: bool = False
    told_cost_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A row that is no request, with the reason."""

    number: int
    problem: str
    text: str = ""


@dataclass(slots=True, kw_only=True)
class Contents:
    """A result file, read.

    Attributes:
        tool: with its version where the file says it.
        kind: baseline for load, eval for evaluations.
        status: how the tool's run ended.
        rows: its requests; empty where it holds aggregates alone.
        begins: where its latencies begin.
        figures: the tool's own aggregates. A format may add to them while its rows are read.
        remarks: what the tool counts otherwise than we do.
        unfinished: requests that the tool says it began and lists nowhere: the slowest may be among them.
    """

    tool: str
    kind: RunKind
    status: RunStatus = RunStatus.COMPLETED
    rows: Iterable[Observed | Unreadable] = ()
    begins: Begins = Begins.SEND
    started_at: datetime | None = None
    ended_at: datetime | None = None
    target: str | None = None
    figures: Sequence[ToldFigure] = field(default_factory=list)
    remarks: Sequence[str] = field(default_factory=list)
    unfinished: int = 0


def number(value: object, *, scale: float = 1.0) -> float | None:
    """A number >= 0 times `scale`; None for anything else, infinities and NaN included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = float(value) * scale
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def milliseconds(value: object, *, scale: float = 1.0) -> float | None:
    """A duration that can be one, milliseconds."""
    found = number(value, scale=scale)
    return found if found is not None and found <= _MOST_MS else None


def whole(value: object) -> int | None:
    """A count; None for anything that is none."""
    found = number(value)
    return int(found) if found is not None and found.is_integer() else None


def money(value: object) -> Decimal | None:
    """US dollars with the digits that were written; None for anything else."""
    found = number(value)
    return None if found is None else Decimal(str(value))


def moment(value: object) -> datetime | None:
    """An aware moment from ISO 8601 text or seconds of the epoch; None for anything else."""
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    seconds = number(value)
    if seconds is None or not _LEAST_EPOCH_S < seconds < _MOST_EPOCH_S:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def table(value: object) -> Mapping[str, Any]:
    """The value where it is an object; else an empty one."""
    return value if isinstance(value, dict) else {}


def told(
    values: Mapping[str, object],
    *,
    of: str,
    grain: Grain = Grain.EXACT,
    scale: float = 1.0,
    group: str | None = None,
) -> list[ToldFigure]:
    """Figures by name of those values that are numbers."""
    return [
        ToldFigure(name=name, value=found, of=of, grain=grain, group=group)
        for name, value in values.items()
        if (found := number(value, scale=scale)) is not None
    ]
