"""Events as rows of the store, through a spool that someone else owns."""

from harness.records import Event
from harness.store import Spool
from harness.telemetry.base import RequestEvent


def event_row(event: RequestEvent, run_id: str | None, *, name: str | None = None) -> Event:
    """The row of `events` for a request's event.

    Args:
        event: how the request ended.
        run_id: the run it is filed under; None leaves that to ingest.
        name: the event's name in the store, where it is not the event's own.
    """
    payload = event.payload()
    if name is not None:
        payload["event"] = name
    return Event(
        ts=event.ts,
        name=payload["event"],
        request_id=event.request_id,
        run_id=run_id,
        environment=event.environment,
        payload=payload,
    )


class StoreSink:
    """Appends each event to a spool; durable within its group commit.

    Args:
        spool: open, and closed by its owner.
        run_id: filed under this run where the event names none.
    """

    name = "store"

    def __init__(self, spool: Spool, run_id: str | None = None) -> None:
        self._spool = spool
        self._run_id = run_id

    def emit(self, event: RequestEvent) -> None:
        """Append one event; waits until it is durable.

        Raises:
            StoreError: the spool is closed, or the disk refused.
        """
        self._spool.append(event_row(event, event.run_id or self._run_id)).result()

    def close(self) -> None:
        """The spool stays its owner's."""
