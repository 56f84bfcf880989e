"""Whether this machine kept up with an embedded run: its emulator and its service, by their own clocks.

A machine that has other work to do wakes them late. What was slow then was neither a provider nor the
service, and no figure of the run can tell the two apart.
"""

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.lateness import Lateness
from harness.load.preflight import fetch

LATE_SHARE_OF_LIMIT = 0.05
LEAST_LATE_MS = 50.0
"""What a punctual process may be late by, under a latency limit however small: a turn of the scheduler's."""
ASKING_TIMEOUT_S = 2.0
WORDS = {"emulator": "the emulator answered late", "service": "the service's event loop was late"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLateness:
    """How late one process of ours was: `emulator` or `service`; None where it did not tell."""

    part: str
    told: Lateness | None

    def over(self, limit_ms: float) -> bool:
        """Whether it was late by more than the run's latency limit leaves room for."""
        p99_ms = None if self.told is None else self.told.p99_ms
        return p99_ms is not None and p99_ms > allowed_ms(limit_ms)

    def sentence(self, limit_ms: float) -> str:
        """Who was late, and by how much."""
        told = self.told
        if told is None or told.p99_ms is None or told.max_ms is None:
            return f"{self.part}: how late it was is not known"
        return (
            f"{WORDS[self.part]}: p99 {told.p99_ms:,.0f} ms, at most {told.max_ms:,.0f} ms, over "
            f"{allowed_ms(limit_ms):,.0f} ms ({LATE_SHARE_OF_LIMIT:.0%} of the limit): this machine was busy"
        )


def allowed_ms(limit_ms: float) -> float:
    """How late a process of ours may be at p99 before the run is suspect, milliseconds."""
    return max(LEAST_LATE_MS, LATE_SHARE_OF_LIMIT * limit_ms)


class EmbeddedClocks:
    """Asks the embedded emulator and service how late they were since the load began.

    Args:
        emulator_url: its base URL.
        service_url: the same of the service; None where the emulator itself is the target.
    """

    def __init__(self, emulator_url: str, service_url: str | None) -> None:
        self._emulator_url = emulator_url
        self._service_url = service_url
        self._since = 0
        self._begun_s = time.monotonic()

    def begin(self) -> None:
        """What came before now does not count: the warm-up, imports."""
        self._since = int(_asked(self._emulator_url, "/_emulator/stats").get("received", 0))
        self._begun_s = time.monotonic()

    def told(self) -> Sequence[PartLateness]:
        """How late each was since."""
        found = [_part("emulator", self._emulator_url, f"/_emulator/lateness?since={self._since}")]
        if self._service_url is not None:
            within_s = max(0.1, time.monotonic() - self._begun_s)
            found.append(_part("service", self._service_url, f"/lateness?within_s={within_s:.3f}"))
        return found

    def too_late(self, limit_ms: float) -> bool:
        """Whether one of them is late by now."""
        return any(part.over(limit_ms) for part in self.told())


def _part(name: str, url: str, path: str) -> PartLateness:
    fields = _asked(url, path)
    try:
        told = Lateness(n=int(fields["n"]), p99_ms=fields["p99_ms"], max_ms=fields["max_ms"])
    except (KeyError, TypeError, ValueError):
        told = None
    return PartLateness(part=name, told=told)


def _asked(url: str, path: str) -> Mapping[str, Any]:
    """The JSON object that a process of ours answers with; empty when it does not answer."""
    try:
        status, body = fetch(url, path, {}, timeout_s=ASKING_TIMEOUT_S)
        fields = json.loads(body) if status == 200 else {}
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}
