"""What came and what was refused: counted for `/metrics`, and told to the log without flooding it."""

import logging
import time
from collections import Counter
from collections.abc import Mapping

import orjson

LOG = logging.getLogger("harness.service")
ACCESS_LOG = logging.getLogger("harness.access")
TOLD_PER_SECOND = 5
"""Refusals that the log tells one by one; beyond that it says how many there were."""

RESPONSES = "harness_http_responses_total"
REFUSED = "harness_http_refused_total"


class Traffic:
    """Counts answers by route and status, and refusals by reason.

    Args:
        access_log: write one JSON line for each answer.
    """

    def __init__(self, *, access_log: bool = False) -> None:
        self.access_log = access_log
        self.responses: Counter[tuple[str, ...]] = Counter()
        self.refusals: Counter[tuple[str, ...]] = Counter()
        self._second = 0
        self._told = 0
        self._untold = 0

    def counters(self) -> Mapping[str, tuple[str, tuple[str, ...], Counter[tuple[str, ...]]]]:
        """Name to help, label names and counts, for `/metrics`."""
        return {
            RESPONSES: ("Answers by route and status.", ("route", "status"), self.responses),
            REFUSED: ("Requests and connections refused, by reason.", ("reason",), self.refusals),
        }

    def refused(self, reason: str, sentence: str, *, request_id: str | None = None, times: int = 1) -> None:
        """One refusal (or several of one kind at once): what for, and what the client was told."""
        self.refusals[reason,] += times
        second = int(time.monotonic())
        if second != self._second:
            if self._untold:
                LOG.warning("refused %d more in the same second; see %s", self._untold, REFUSED)
            self._second, self._told, self._untold = second, 0, 0
        if self._told >= TOLD_PER_SECOND:
            self._untold += times
            return
        self._told += 1
        LOG.warning("refused (%s): %s%s", reason, sentence, f" [{request_id}]" if request_id else "")

    def answered(
        self, *, method: str, route: str, path: str, status: int, duration_ms: float, request_id: str | None
    ) -> None:
        """One answer has left; `status` 499 when its client had left before."""
        self.responses[route, str(status)] += 1
        if self.access_log:
            line = {
                "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "request_id": request_id,
                "method": method,
                "path": path[:200],
                "status": status,
                "duration_ms": round(duration_ms, 3),
            }
            ACCESS_LOG.info("%s", orjson.dumps(line).decode())
