"""Request ids that came twice: a client's retry under the same id is a request of its own."""

from collections import OrderedDict

REMEMBERED = 20_000
MAX_ID_CHARS = 128


class RecentIds:
    """Tells the id to file a request under: its own the first time, then `id:2`, `id:3`.

    Rows are keyed by request id, so without this a retry's answer would hide behind the failure before it.

    Args:
        remembered: how many of the latest ids are known.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._seen: OrderedDict[tuple[str | None, str], int] = OrderedDict()
        self._remembered = remembered

    def filed_as(self, request_id: str, run_id: str | None) -> str:
        """The id for the records of one more request of this id in this run."""
        key = (run_id, request_id)
        times = self._seen.pop(key, 0) + 1
        self._seen[key] = times
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        suffix = "" if times == 1 else f":{times}"
        return request_id[: MAX_ID_CHARS - len(suffix)] + suffix
