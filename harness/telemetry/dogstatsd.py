"""DogStatsD over UDP: the metric catalogue as datagrams, one event in one or two packets.

The protocol is a line of text, so it is written here; the agent's client library would add a thread and a
process-wide state.
Source: https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/
"""

import re
import socket
from collections.abc import Iterable, Mapping
from decimal import Decimal

from harness.telemetry.base import RequestEvent
from harness.telemetry.catalogue import MetricKind, Observation, observations

DEFAULT_PORT = 8125
MAX_DATAGRAM_BYTES = 1432
"""What fits into one Ethernet frame: a larger datagram may be cut up or lost."""

_TYPES = {MetricKind.DISTRIBUTION: "d", MetricKind.COUNT: "c"}
_UNSAFE = re.compile(r"[^A-Za-z0-9_\-./:]")


class DogStatsdSink:
    """Sends every event's metrics to a Datadog agent. Nothing waits for the agent: UDP has no answer.

    Args:
        host: the agent's (`DD_AGENT_HOST`).
        port: the agent's (`DD_AGENT_PORT`).
        service: the tag `service` (`DD_SERVICE`).
        env: the tag `env` (`DD_ENV`); None sends none.
    """

    name = "dogstatsd"

    def __init__(
        self, host: str, port: int = DEFAULT_PORT, *, service: str = "harness", env: str | None = None
    ) -> None:
        self._target = (host, port)
        self._constant_tags = {"service": service, **({"env": env} if env else {})}
        self._socket: socket.socket | None = None

    def emit(self, event: RequestEvent) -> None:
        """Send one event's metrics.

        Raises:
            OSError: the host has no address, or this machine refused to send; the name is looked up again
                with the next event.
        """
        connection = self._socket or self._connect()
        try:
            for datagram in datagrams(observations(event), self._constant_tags):
                connection.send(datagram)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        host, port = self._target
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        connection = socket.socket(family, kind, protocol)
        connection.connect(address)
        self._socket = connection
        return connection


def datagrams(seen: Iterable[Observation], constant_tags: Mapping[str, str]) -> list[bytes]:
    """The metrics as newline-joined lines, packed into as few datagrams as fit."""
    packets: list[bytes] = []
    current = b""
    for observation in seen:
        line = _line(observation, constant_tags).encode("ascii")
        joined = current + b"\n" + line if current else line
        if len(joined) > MAX_DATAGRAM_BYTES and current:
            packets.append(current)
            current = line
        else:
            current = joined
    return [*packets, current] if current else packets


def _line(observation: Observation, constant_tags: Mapping[str, str]) -> str:
    metric, value = observation.metric, observation.value
    digits = format(value, "f") if isinstance(value, Decimal) else repr(value)
    tags = ",".join(f"{name}:{_safe(text)}" for name, text in {**observation.tags, **constant_tags}.items())
    return f"{metric.name}:{digits}|{_TYPES[metric.kind]}|#{tags}"


def _safe(text: str) -> str:
    """A tag's value with everything that means something to the protocol replaced, at most 200 characters."""
    return _UNSAFE.sub("_", text)[:200]
