"""One event to many sinks, off the request's path: a dead or slow sink costs events, never time.

Each sink has its own bounded queue and thread, so that one cannot starve another.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence

from harness.telemetry.base import RequestEvent, Sink

LOG = logging.getLogger("harness.telemetry")
QUEUE_SIZE = 10_000
CLOSE_TIMEOUT_S = 0.3


class Fanout:
    """Hands events to sinks from background threads and counts what it had to drop.

    Args:
        sinks: where events go.
        queue_size: events waiting per sink before more are dropped.
    """

    name = "fanout"

    def __init__(self, sinks: Sequence[Sink], *, queue_size: int = QUEUE_SIZE) -> None:
        self._lanes = [_Lane(sink, queue_size) for sink in sinks]

    def emit(self, event: RequestEvent) -> None:
        """Queue the event for every sink; returns at once, drops where a queue is full."""
        for lane in self._lanes:
            lane.put(event)

    @property
    def dropped(self) -> dict[str, int]:
        """Events lost, by sink name: queue full, or the sink raised."""
        totals: dict[str, int] = {}
        for lane in self._lanes:
            totals[lane.sink.name] = totals.get(lane.sink.name, 0) + lane.dropped
        return totals

    def close(self) -> None:
        """Let every sink drain for a moment, together; whatever is left is counted as dropped."""
        for lane in self._lanes:
            lane.stop()
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        for lane in self._lanes:
            lane.join(max(0.0, deadline - time.monotonic()))


class _Lane:
    def __init__(self, sink: Sink, queue_size: int) -> None:
        self.sink = sink
        self.dropped = 0
        self._queue: queue.Queue[RequestEvent] = queue.Queue(maxsize=queue_size)
        self._stopping = threading.Event()
        self._complained = False
        self._thread = threading.Thread(target=self._work, name=f"sink-{sink.name}", daemon=True)
        self._thread.start()

    def put(self, event: RequestEvent) -> None:
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def stop(self) -> None:
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self.dropped += self._queue.qsize()

    def _work(self) -> None:
        while True:
            try:
                event = self._queue.get(timeout=0.1)
            except queue.Empty:
                if self._stopping.is_set():
                    break
                continue
            self._deliver(event)
        try:
            self.sink.close()
        except Exception as error:  # noqa: BLE001 - the boundary: no sink's fault may reach the service
            self._complain(error)

    def _deliver(self, event: RequestEvent) -> None:
        try:
            self.sink.emit(event)
        except Exception as error:  # noqa: BLE001 - the boundary: no sink's fault may reach the service
            self.dropped += 1
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            LOG.warning(
                "telemetry sink %s fails: %s; its drops are counted", self.sink.name, type(error).__name__
            )
