"""When an attempt may start: a window that adapts, a pace set by headers, pauses the provider asks for.

The window grows with success (slow start, then one a round) and halves on 429 and 529, once for each round;
`retry-after` pauses every model of that provider. Waiting here is the harness's own doing: it is measured,
and taken out of the latency of the request that waited.
"""

import asyncio
import heapq
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from harness.clock import SYSTEM_CLOCK, Clock
from harness.orchestration import Route
from harness.providers.limits import allowances
from harness.records import Call, CallOutcome, ErrorKind, Role

FIRST_WINDOW = 4.0
PAUSE_WITHOUT_ADVICE_S = 1.0
LONGEST_PAUSE_S = 120.0
_INSIDE, _NEW_CASE = 0, 1
_BACK_OFF = (ErrorKind.RATE_LIMITED, ErrorKind.OVERLOADED)


@dataclass(slots=True)
class Ticket:
    """Leave to make one attempt. Times are monotonic seconds."""

    lane: "Lane"
    sent_s: float = 0.0
    waited_s: float = 0.0


@dataclass(slots=True)
class CaseWait:
    """One case's dealings with the gate: the ticket it began with, and what it waited inside, by role."""

    ticket: Ticket | None
    waited_s: dict[Role, float] = field(default_factory=dict)

    @property
    def total_ms(self) -> float:
        """All waits inside the case, milliseconds."""
        return 1000 * sum(self.waited_s.values())


@dataclass(slots=True)
class Level:
    """What is left of one window's requests, as it flows back. Times are monotonic seconds."""

    left: float
    at_s: float
    per_s: float
    most: float
    told_s: float

    def wait_s(self, now_s: float) -> float:
        """Until one may be sent; not above 0 for now."""
        self.left = min(self.most, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        return (1 - self.left) / self.per_s


class Lane:
    """One model's window, pace and queue; everything happens on the event loop.

    Args:
        cap: the widest window.
        now_s: monotonic seconds.
    """

    def __init__(self, cap: int, now_s: Callable[[], float]) -> None:
        self.window = min(float(cap), FIRST_WINDOW)
        self.in_flight = 0
        self.sent = 0
        self.backed_off = 0
        self._cap = float(cap)
        self._now_s = now_s
        self._slow_start = True
        self._cut_s = float("-inf")
        self._not_before_s = 0.0
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._sends: deque[float] = deque(maxlen=10_000)
        self._levels: dict[float, Level] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._mean_tokens = 0.0

    async def take(self, priority: int) -> Ticket:
        """Wait for leave; those inside a case go before new cases."""
        ticket, began = Ticket(self), self._now_s()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._queue, (priority, self._arrivals, future))
        self._pump()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back()
            raise
        ticket.sent_s = self._now_s()
        ticket.waited_s = ticket.sent_s - began
        return ticket

    def give_back(self) -> None:
        """An attempt has ended, or was never made."""
        self.in_flight -= 1
        self._pump()

    def pause(self, seconds: float) -> None:
        """Start nothing for so long."""
        until = self._now_s() + min(max(seconds, 0.0), LONGEST_PAUSE_S)
        self._not_before_s = max(self._not_before_s, until)

    def let_go(self) -> None:
        """Release the cases that wait to begin, at no pace: the run ends, and they will not."""
        for priority, _, future in self._queue:
            if priority == _NEW_CASE and not future.done():
                self.in_flight += 1
                future.set_result(None)

    def succeeded(self) -> None:
        """Widen the window: by one an answer at first, later by one a round."""
        if self.in_flight >= self.window / 2:
            self.window = min(self._cap, self.window + (1.0 if self._slow_start else 1.0 / self.window))

    def pushed_back(self, ticket: Ticket | None) -> None:
        """Halve the window; once for all attempts that were under way at the last halving."""
        self.backed_off += 1
        self._slow_start = False
        if ticket is None or ticket.sent_s > self._cut_s:
            self.window = max(1.0, self.window / 2)
            self._cut_s = self._now_s()

    def told(self, limit: float, remaining: float, ticket: Ticket | None, window_s: float = 60.0) -> None:
        """Requests in a window, and how many were left when the ticket's attempt arrived."""
        known = self._levels.get(window_s)
        if ticket is None or (known is not None and ticket.sent_s < known.told_s):
            return
        now, per_s = self._now_s(), limit / window_s
        later = sum(1 for sent in self._sends if sent > ticket.sent_s)
        level = min(limit, remaining + (now - ticket.sent_s) * per_s) - later
        self._levels[window_s] = Level(level, now, per_s, limit, told_s=ticket.sent_s)

    def tokens_told(self, remaining: float, reset_s: float | None, used: float) -> None:
        """Tokens left in the minute; fewer than the next round needs is a pause until they come back."""
        self._mean_tokens = used if not self._mean_tokens else 0.8 * self._mean_tokens + 0.2 * used
        if reset_s is not None and remaining < self._mean_tokens * (self.in_flight + 1):
            self.pause(min(reset_s, 60.0))

    def _pump(self) -> None:
        while self._queue and self.in_flight < max(1, int(self.window)):
            if self._queue[0][2].done():  # its waiter was cancelled
                heapq.heappop(self._queue)
                continue
            wait_s = self._wait_s()
            if wait_s > 0:
                self._wake_in(wait_s)
                return
            _, _, future = heapq.heappop(self._queue)
            self.in_flight += 1
            self.sent += 1
            self._sends.append(self._now_s())
            for level in self._levels.values():
                level.left -= 1
            future.set_result(None)

    def _wait_s(self) -> float:
        now = self._now_s()
        wait_s = self._not_before_s - now
        return max([wait_s, *(level.wait_s(now) for level in self._levels.values())])

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds + 0.001, self._pump)


_CASE: ContextVar[CaseWait | None] = ContextVar("case", default=None)
_TICKET: ContextVar[Ticket | None] = ContextVar("ticket", default=None)


class AdaptiveGate:
    """The `Gatekeeper` of an evaluation: one lane a model, pauses shared by a provider's lanes.

    Args:
        concurrency: the most attempts at one model at once.
        clock: for resets that providers give as moments.
        now_s: monotonic seconds.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        clock: Clock = SYSTEM_CLOCK,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._concurrency = concurrency
        self._clock = clock
        self._now_s = now_s
        self.lanes: dict[tuple[str, str], Lane] = {}

    def lane(self, route: Route) -> Lane:
        """The lane of a route's model."""
        key = (route.provider, route.model)
        if key not in self.lanes:
            self.lanes[key] = Lane(self._concurrency, self._now_s)
        return self.lanes[key]

    def let_go(self) -> None:
        """Release every case that waits to begin; whoever asked for it must not begin it."""
        for lane in self.lanes.values():
            lane.let_go()

    @asynccontextmanager
    async def case(self, first: Route) -> AsyncIterator[CaseWait]:
        """Wait until a case's first attempt may start; the wait is before the case, not in it."""
        wait = CaseWait(await self.lane(first).take(_NEW_CASE))
        token = _CASE.set(wait)
        try:
            yield wait
        finally:
            _CASE.reset(token)
            if wait.ticket is not None:
                wait.ticket.lane.give_back()

    @asynccontextmanager
    async def admit(self, route: Route) -> AsyncIterator[None]:
        """Entered before each attempt, left when it has ended."""
        case, lane = _CASE.get(), self.lane(route)
        if case is not None and case.ticket is not None and case.ticket.lane is lane:
            ticket, case.ticket = case.ticket, None
            ticket.waited_s = 0.0
        else:
            ticket = await lane.take(_INSIDE)
        token = _TICKET.set(ticket)
        try:
            yield
        finally:
            _TICKET.reset(token)
            lane.give_back()

    def seen(self, route: Route, call: Call, rate_limits: Mapping[str, str]) -> None:
        """Learn from an attempt's end."""
        lane, ticket, case = self.lane(route), _TICKET.get(), _CASE.get()
        if case is not None and ticket is not None and ticket.waited_s:
            case.waited_s[call.role] = case.waited_s.get(call.role, 0.0) + ticket.waited_s
            ticket.waited_s = 0.0
        if call.outcome is CallOutcome.OK:
            lane.succeeded()
        elif call.error_kind in _BACK_OFF:
            lane.pushed_back(ticket)
            asked_ms = call.retry_after_ms
            seconds = PAUSE_WITHOUT_ADVICE_S if asked_ms is None else asked_ms / 1000
            for (provider, _), other in self.lanes.items():
                if provider == route.provider:
                    other.pause(seconds)
        self._take_headers(lane, ticket, call, rate_limits)

    def _take_headers(
        self, lane: Lane, ticket: Ticket | None, call: Call, rate_limits: Mapping[str, str]
    ) -> None:
        for allowance in allowances(rate_limits, self._clock.now()):
            if allowance.is_requests:
                lane.told(allowance.limit, allowance.remaining, ticket, allowance.window_s)
            elif allowance.is_tokens:
                used = float((call.input_tokens or 0) + (call.output_tokens or 0))
                lane.tokens_told(allowance.remaining, allowance.reset_s, used)
