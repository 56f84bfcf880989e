"""One process's part of a run: a dispatcher that owns the schedule, one greenlet for each arrival.

Runs only where gevent has patched the process (Locust).
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import gevent
from gevent.event import Event as GreenEvent

from harness.clock import ms_from_ns
from harness.load.answer import Answer
from harness.load.arrivals import share_of_worker
from harness.load.bound import Parcel
from harness.load.cases import CaseBook
from harness.load.exchange import Exchange
from harness.load.plan import LoadPlan
from harness.load.recorder import Epoch, Recorder
from harness.load.transport import Transport
from harness.records import Request
from harness.store import Spool

YIELD_EVERY = 32
"""A dispatcher that is behind sends so many before it lets answers be read."""

Listener = Callable[[Request, Answer], None]


class Generator:
    """Sends one worker's share of a plan and records every request.

    Args:
        plan: the whole run.
        exchange: what is sent.
        spool: where rows go.
        worker: this process's number, of `workers`.
        epoch_wall_ns: zero of the schedule in wall-clock nanoseconds, the same in every process.
        on_finished: called with each row, for progress and Locust's own statistics.
    """

    def __init__(
        self,
        plan: LoadPlan,
        exchange: Exchange,
        spool: Spool,
        *,
        worker: int,
        workers: int,
        epoch_wall_ns: int,
        on_finished: Listener,
    ) -> None:
        self.plan = plan
        self.worker = worker
        self.workers = workers
        self.in_flight: dict[int, int] = {}
        self.draining = False
        self.stopped = False
        self._exchange = exchange
        self._on_finished = on_finished
        self.epoch = _epoch(epoch_wall_ns)
        self.recorder = Recorder(
            spool,
            run_id=plan.run_id,
            epoch=self.epoch,
            scenario=exchange.name,
            task=exchange.scenario.task,
            worker=worker,
            environment=plan.environment,
            secrets=exchange.bound.secrets,
        )
        schedule = plan.schedule_ns()
        self.planned = len(schedule) if not plan.closed_loop else plan.max_requests
        self._share = share_of_worker(schedule, worker, workers)
        self._cases = CaseBook(
            plan.cases_path,
            exchange,
            seed=plan.seed,
            requests=self.planned,
            recorded=plan.shape == "recorded",
        )
        self._transport = Transport(plan.target, size=plan.in_flight_cap, timeout_s=plan.timeout_s)
        self._greenlets: set[gevent.Greenlet] = set()
        self._slot_free = GreenEvent()
        self._stopped = GreenEvent()
        self._dispatcher: gevent.Greenlet | None = None

    def run(self) -> None:
        """Send everything and wait for every answer; returns early after `drain` or `stop`."""
        self._dispatcher = gevent.spawn(self._closed_loop if self.plan.closed_loop else self._open_loop)
        self._dispatcher.join()
        self._dispatcher.get()
        gevent.joinall(list(self._greenlets))
        self._transport.close()

    def drain(self) -> None:
        """Send no more; what is in flight is waited for."""
        self.draining = True
        self._stopped.set()
        self._slot_free.set()

    def stop(self) -> None:
        """Send no more and give up what is in flight; it is counted as unfinished, never as an answer."""
        self.stopped = True
        self.drain()
        gevent.killall(list(self._greenlets), block=True, timeout=1)

    def overdue(self, age_ms: float) -> list[tuple[int, float]]:
        """Arrivals in flight for longer than `age_ms` since their intended start, with their age."""
        now = time.perf_counter_ns()
        aged = ((seq, ms_from_ns(now - due_ns)) for seq, due_ns in self.in_flight.items())
        return [(seq, age) for seq, age in aged if age > age_ms]

    def _open_loop(self) -> None:
        behind = 0
        for seq, offset_ns in self._share:
            due_ns = self.epoch.monotonic_ns + offset_ns
            while (wait_ns := due_ns - time.perf_counter_ns()) > 0 and not self.draining:
                self._stopped.wait(wait_ns / 1e9)
                behind = 0
            if self.draining or not self._take_slot():
                return
            self._launch(self._serve, seq, due_ns)
            behind += 1
            if behind % YIELD_EVERY == 0:
                gevent.sleep(0)

    def _take_slot(self) -> bool:
        """Wait below the cap; False when the run ends meanwhile. The arrival is late, never dropped."""
        if len(self.in_flight) < self.plan.in_flight_cap:
            return True
        self.recorder.tally.cap_reached += 1
        while len(self.in_flight) >= self.plan.in_flight_cap and not self.draining:
            self._slot_free.clear()
            self._slot_free.wait()
        return not self.draining

    def _closed_loop(self) -> None:
        users = self.plan.users or 0
        until_ns = self.epoch.monotonic_ns + int(self.plan.duration_s * 1e9)
        counter = iter(range(self.worker, self.plan.max_requests or 10**12, self.workers))
        wait_ns = self.epoch.monotonic_ns - time.perf_counter_ns()
        if wait_ns > 0:
            self._stopped.wait(wait_ns / 1e9)
        group = [gevent.spawn(self._user, counter, until_ns) for _ in range(self.worker, users, self.workers)]
        self._greenlets.update(group)
        gevent.joinall(group)

    def _user(self, counter: Iterator[int], until_ns: int) -> None:
        for seq in counter:
            now = time.perf_counter_ns()
            if self.draining or now >= until_ns:
                return
            self.in_flight[seq] = now
            self._serve(seq, now)

    def _launch(self, work: Callable[[int, int], None], seq: int, due_ns: int) -> None:
        self.in_flight[seq] = due_ns
        greenlet = gevent.spawn(work, seq, due_ns)
        self._greenlets.add(greenlet)
        greenlet.rawlink(self._greenlets.discard)

    def _serve(self, seq: int, due_ns: int) -> None:
        parcel = self._cases[seq]
        request_id = f"{self.plan.request_prefix}-{seq:06d}"
        self.recorder.tally.sent += 1
        sent_ns = time.perf_counter_ns()
        try:
            answer = self._ask(request_id, parcel)
        except BaseException:
            self._release(seq)
            raise
        done_ns = answer.done_ns or time.perf_counter_ns()
        self._release(seq)
        row = self.recorder.record(
            answer,
            seq=seq,
            request_id=request_id,
            case_id=parcel.case.case_id,
            due_ns=due_ns,
            sent_ns=sent_ns,
            done_ns=done_ns,
        )
        self._on_finished(row, answer)

    def _ask(self, request_id: str, parcel: Parcel) -> Answer:
        timeout = gevent.Timeout(self.plan.timeout_s)
        timeout.start()
        begun, begun_ns = Answer(), time.perf_counter_ns()
        try:
            return self._exchange.perform(self._transport, request_id, parcel, begun)
        except gevent.Timeout as expired:
            if expired is not timeout:
                raise
            waited_ns = time.perf_counter_ns() - begun_ns
            return self._exchange.given_up(begun, self.plan.timeout_s, waited_ns)
        finally:
            timeout.close()

    def _release(self, seq: int) -> None:
        del self.in_flight[seq]
        self._slot_free.set()


def _epoch(epoch_wall_ns: int) -> Epoch:
    """The epoch on this process's clocks."""
    monotonic_ns, wall_ns = time.perf_counter_ns(), time.time_ns()
    wall = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=epoch_wall_ns / 1000)
    return Epoch(monotonic_ns=monotonic_ns + epoch_wall_ns - wall_ns, wall=wall)
