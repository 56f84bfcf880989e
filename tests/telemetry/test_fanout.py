"""A dead or slow sink costs events, never a request's time."""

import threading
import time

from harness.telemetry import Fanout, RequestEvent
from tests.telemetry.events import DRAFTED


class Keeper:
    name = "keeper"

    def __init__(self) -> None:
        self.events: list[RequestEvent] = []
        self.closed = False

    def emit(self, event: RequestEvent) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.closed = True


class Dead(Keeper):
    name = "dead"

    def emit(self, event: RequestEvent) -> None:
        raise ConnectionRefusedError("nobody there")


class Stuck(Keeper):
    name = "stuck"

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def emit(self, event: RequestEvent) -> None:
        self.release.wait(60)
        super().emit(event)


def test_every_sink_gets_every_event_in_order() -> None:
    keepers = [Keeper(), Keeper()]
    fanout = Fanout(keepers)
    for _ in range(100):
        fanout.emit(DRAFTED)
    fanout.close()
    assert [len(keeper.events) for keeper in keepers] == [100, 100]
    assert all(keeper.closed for keeper in keepers)
    assert fanout.dropped == {"keeper": 0}


def test_a_dead_sink_is_counted_and_harms_no_other() -> None:
    keeper = Keeper()
    fanout = Fanout([Dead(), keeper])
    for _ in range(50):
        fanout.emit(DRAFTED)
    fanout.close()
    assert fanout.dropped == {"dead": 50, "keeper": 0}
    assert len(keeper.events) == 50


def test_a_stuck_sink_drops_beyond_its_queue_and_returns_at_once() -> None:
    stuck, keeper = Stuck(), Keeper()
    fanout = Fanout([stuck, keeper], queue_size=10)
    started = time.monotonic()
    for sent in range(1, 101):
        fanout.emit(DRAFTED)
        while len(keeper.events) < sent:
            time.sleep(0.0005)
    assert time.monotonic() - started < 10
    assert fanout.dropped["stuck"] == 100 - 10 - 1  # one is in the sink's hands
    fanout.close()
    assert fanout.dropped["stuck"] >= 99
    assert len(keeper.events) == 100
    stuck.release.set()


def test_closing_takes_a_moment_however_many_sinks_are_stuck() -> None:
    stuck = [Stuck() for _ in range(5)]
    fanout = Fanout(stuck)
    fanout.emit(DRAFTED)
    started = time.monotonic()
    fanout.close()
    assert time.monotonic() - started < 3
    for sink in stuck:
        sink.release.set()
