"""Which rows a figure is computed from: one place decides what counts, in which order, on whose clock."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.records import (
    Call,
    CallOutcome,
    LatencySource,
    ProviderMode,
    Request,
    RequestStatus,
    Role,
    RunKind,
    RunStatus,
)


class RunFacts(Protocol):
    """What the judge needs to know of a run; a stored run and a report file both say it."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def kind(self) -> RunKind:
        """Who produced its rows."""

    @property
    def name(self) -> str:
        """Its name, for people."""

    @property
    def status(self) -> RunStatus:
        """Where it stands; a run whose owner is gone reads interrupted."""

    @property
    def started_at(self) -> datetime:
        """When it started, UTC."""

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, UTC; None while it runs, or when it was killed."""

    @property
    def environment(self) -> str | None:
        """Where the target runs."""

    @property
    def target(self) -> str | None:
        """What was asked."""

    @property
    def provider_mode(self) -> ProviderMode | None:
        """What answered, as far as the run knows."""

    @property
    def git_sha(self) -> str | None:
        """The commit of the checkout."""

    @property
    def harness_version(self) -> str | None:
        """The harness that produced it."""

    @property
    def config(self) -> Mapping[str, Any]:
        """How it was configured; no secrets."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """What only the end knows: suspicion and its reasons, planned counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySample:
    """The latencies of a run, on one clock.

    Attributes:
        latency_ms: of the successes, in arrival order, milliseconds.
        arrivals_ms: of all requests in arrival order; infinite where it failed. For tests only: no
            infinity enters a quantile.
        failures: requests that failed; they rank above every success. None is counted where requests were
            answered and not one of them has a latency (batched, cached): there is nothing to rank above.
        unknown: successes without a latency on this clock; they make a required figure unknown.
        source: whose clock; None without requests.
    """

    latency_ms: NDArray[np.float64]
    arrivals_ms: NDArray[np.float64]
    failures: int
    unknown: int
    source: LatencySource | None

    @property
    def n(self) -> int:
        """Requests with a known outcome."""
        return int(self.latency_ms.size) + self.failures


def counted(requests: Sequence[Request]) -> list[Request]:
    """The requests that figures are made of: without warm-ups, in arrival order."""
    return sorted((r for r in requests if not r.warmup), key=_arrival)


def case_of(request: Request) -> str:
    """What clusters a request: its case, or itself when it has none; ids of two runs never coincide."""
    return request.case_id if request.case_id is not None else f"{request.run_id}/{request.request_id}"


def _arrival(request: Request) -> tuple[float, int]:
    moment = request.scheduled_at or request.started_at
    return (moment.timestamp() if moment else 0.0, -1 if request.seq is None else request.seq)


def latency_sample(requests: Sequence[Request]) -> LatencySample:
    """The latencies of the counted requests; client-side if any request has one, else server-side.

    Rows of the other clock are `unknown`: no percentile mixes the two.
    """
    rows = counted(requests)
    source = _source(rows)
    arrivals: list[float] = []
    unknown = 0
    for row in rows:
        value = request_latency(row, source)
        if row.status is not RequestStatus.OK:
            arrivals.append(np.inf)
        elif value is None:
            unknown += 1
        else:
            arrivals.append(value)
    arrivals_ms = np.asarray(arrivals, dtype=np.float64)
    finite = np.isfinite(arrivals_ms)
    if unknown and not finite.any():
        arrivals_ms, finite = arrivals_ms[finite], finite[finite]
    return LatencySample(
        latency_ms=arrivals_ms[finite],
        arrivals_ms=arrivals_ms,
        failures=int((~finite).sum()),
        unknown=unknown,
        source=source,
    )


def _source(rows: Sequence[Request]) -> LatencySource | None:
    if any(row.latency_ms is not None and row.latency_source is not LatencySource.SERVER for row in rows):
        return LatencySource.CLIENT
    if any(row.server_ms is not None or row.latency_ms is not None for row in rows):
        return LatencySource.SERVER
    return LatencySource.CLIENT if rows else None


def request_latency(row: Request, source: LatencySource | None) -> float | None:
    """Milliseconds of one answered request on the given clock; None when it failed or has none there.

    What is no duration (negative, infinite; a report file may say so) is unknown.
    """
    if row.status is not RequestStatus.OK:
        return None
    if source is LatencySource.SERVER:
        value = row.server_ms if row.server_ms is not None else row.latency_ms
    else:
        value = None if row.latency_source is LatencySource.SERVER else row.latency_ms
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def request_costs(requests: Sequence[Request], calls: Sequence[Call] = ()) -> list[Decimal | None]:
    """USD of each counted request in arrival order: its own figure, else its calls' sum, else None.

    A failed request writes no event, but its attempts may have been paid: their sum counts when every one
    of them has a price. Refused attempts and judges are no part of it.
    """
    by_request: dict[str, list[Decimal | None]] = {}
    for call in calls:
        if call.outcome is CallOutcome.REFUSED or call.role is Role.JUDGE:
            continue
        by_request.setdefault(call.request_id, []).append(call.cost_usd)
    costs: list[Decimal | None] = []
    for row in counted(requests):
        paid = by_request.get(row.request_id, [])
        known = [cost for cost in paid if cost is not None]
        if row.cost_usd is not None:
            costs.append(row.cost_usd)
        elif paid and len(known) == len(paid):
            costs.append(sum(known, Decimal(0)))
        else:
            costs.append(None)
    return costs


def provider_mode(requests: Sequence[Request], run: RunFacts | None = None) -> ProviderMode | None:
    """What answered: the one mode of the answers, `mixed` for several.

    An answer that does not say counts as the run's own mode; None (unknown) when that is unknown too.
    """
    told = run.provider_mode if run is not None else None
    rows = counted(requests)
    answers = [row for row in rows if row.status is RequestStatus.OK]
    modes = {row.provider_mode or told for row in answers} or {told}
    modes |= {row.provider_mode for row in rows if row.provider_mode is not None}
    if any("fixtures" in (row.draft_source, row.repair_source) for row in rows):
        modes.add(ProviderMode.FIXTURES)
    known = modes - {None}
    if len(known) > 1:
        return ProviderMode.MIXED
    return modes.pop() if len(modes) == 1 else None


def throughput_rps(requests: Sequence[Request]) -> float | None:
    """Answers per second between the first and the last tenth of the answers.

    The ends are left out because a single slow last answer would stretch a short run; a target that falls
    behind its arrivals still shows.

    Returns:
        None for fewer than ten answers with a known time.
    """
    ends: list[float] = []
    for row in counted(requests):
        start = row.scheduled_at or row.started_at
        spent = row.latency_ms if row.latency_ms is not None else row.server_ms
        if row.status is RequestStatus.OK and start is not None and spent is not None:
            ends.append(start.timestamp() + spent / 1000.0)
    first, last = len(ends) // 10, len(ends) - 1 - len(ends) // 10
    ends.sort()
    if len(ends) < 10 or ends[last] <= ends[first]:
        return None
    return (last - first) / (ends[last] - ends[first])
