"""Records of a generator on another machine: shipped over Locust's own messages, acknowledged by offset."""

import logging
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event as GreenEvent

from harness.errors import StoreError
from harness.store import Spool, StorePaths
from harness.store.spool.mirror import SpoolMirror

LOG = logging.getLogger("harness.load")

CHUNK, ACK = "harness-chunk", "harness-ack"
CHUNK_BYTES = 256 * 1024
INTERVAL_S = 0.3
RESEND_AFTER_S = 3.0
GIVE_UP_AFTER_S = 60.0


class Shipper:
    """A worker's side: sends its spool's whole lines until every byte is acknowledged.

    Args:
        runner: Locust's worker runner.
        spool: this process's spool, in a folder of its own.
        folder: that folder.
    """

    def __init__(self, runner: Any, spool: Spool, folder: Path) -> None:
        self._runner = runner
        self._spool_id = spool.spool_id
        self._paths = StorePaths(folder)
        self._segment = 0
        self._durable = 0
        self._acked = GreenEvent()
        self._closing = False

    def take_ack(self, msg: Any) -> None:
        """The master has so much of a segment on its disk."""
        told = msg.data
        if told["spool"] == self._spool_id and told["segment"] == self._segment:
            self._durable = max(self._durable, told["size"])
            self._acked.set()

    def run(self) -> None:
        """Ship while the run goes on."""
        while not self._closing:
            gevent.sleep(INTERVAL_S)
            self._ship_all()

    def finish(self) -> bool:
        """Ship the rest; False when the master no longer answers (the records stay in the folder)."""
        self._closing = True
        done = False
        with gevent.Timeout(GIVE_UP_AFTER_S, exception=False):
            self._ship_all()
            done = True
        if not done:
            LOG.error("the master does not answer: the last records stay in %s", self._paths.root)
        return done

    def _ship_all(self) -> None:
        while True:
            data = self._next_chunk()
            if not data and not self._next_segment():
                return
            if data:
                self._send(data)

    def _next_chunk(self) -> bytes:
        with self._paths.segment(self._spool_id, self._segment).open("rb") as file:
            file.seek(self._durable)
            data = file.read(CHUNK_BYTES)
            while data and b"\n" not in data and (more := file.read(CHUNK_BYTES)):
                data += more
        return data[: data.rfind(b"\n") + 1]

    def _next_segment(self) -> bool:
        if not self._paths.segment(self._spool_id, self._segment + 1).exists():
            return False
        self._segment += 1
        self._durable = 0
        return True

    def _send(self, data: bytes) -> None:
        """Send until it is acknowledged; the offset makes a second copy harmless."""
        end = self._durable + len(data)
        chunk = {"spool": self._spool_id, "segment": self._segment, "offset": self._durable, "data": data}
        while self._durable < end:
            self._acked.clear()
            self._runner.send_message(CHUNK, chunk)
            self._acked.wait(RESEND_AFTER_S)


class Receiver:
    """The master's side: mirrors every worker's spool into the store.

    Args:
        runner: Locust's master runner.
        store_dir: the store's folder.
    """

    def __init__(self, runner: Any, store_dir: Path) -> None:
        self._runner = runner
        self._store_dir = store_dir
        self._mirrors: dict[str, SpoolMirror] = {}

    def take(self, msg: Any) -> None:
        """Write a chunk and acknowledge what is durable; a refused one is not acknowledged."""
        told = msg.data
        spool_id = told["spool"]
        try:
            if spool_id not in self._mirrors:
                self._mirrors[spool_id] = SpoolMirror.open(self._store_dir, spool_id)
            size = self._mirrors[spool_id].append(told["segment"], told["offset"], told["data"])
        except StoreError as error:
            LOG.error("%s", error)  # noqa: TRY400 - one sentence, no trace
            return
        ack = {"spool": spool_id, "segment": told["segment"], "size": size}
        self._runner.send_message(ACK, ack, msg.node_id)

    def close(self) -> None:
        """Nothing more will come."""
        for mirror in self._mirrors.values():
            mirror.close()
        self._mirrors.clear()
