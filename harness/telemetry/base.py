"""What a sink is: somewhere that finished requests are told to."""

from typing import Protocol

from harness.records import CompletedEvent, FailedEvent

RequestEvent = CompletedEvent | FailedEvent
"""How one request ended, answered or not."""


class Sink(Protocol):
    """A destination of request events. Entry points under `harness.sinks` may add more.

    Attributes:
        name: short, for drop counters and messages.
    """

    name: str

    def emit(self, event: RequestEvent) -> None:
        """Take one event. May block and may raise: `Fanout` keeps both away from requests."""
        ...

    def close(self) -> None:
        """Flush and release; called once."""
        ...
