"""Server-sent events, as light as the hot path needs: one pass over lines, a time for each event.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (ids and retry are not used here).
"""

import time
from collections.abc import Iterator
from typing import NamedTuple

from harness.load.message import Response

MAX_EVENT_BYTES = 4 * 1024 * 1024


class ServerEvent(NamedTuple):
    """One event: its name (empty for unnamed ones), its data, and when its last line arrived (ns).

    `is_closed` is False for what the body ended in without the closing blank line: whole, or cut.
    """

    name: bytes
    data: bytes
    arrived_ns: int
    is_closed: bool = True


def server_events(response: Response, *, unclosed: bool = False) -> Iterator[ServerEvent]:
    """The events of a response as they arrive; one without its closing blank line is not an event.

    Args:
        response: its body is read line by line.
        unclosed: yield what stands at the end of the body without that line, too.

    Raises:
        OSError, RuntimeError: the connection broke.
        ValueError: an event larger than `MAX_EVENT_BYTES`.
    """
    name, data, size = b"", [], 0
    while line := response.readline(b"\n"):
        text = line.rstrip(b"\r\n")
        if text.startswith(b"data:"):
            data.append(text[6:] if text[5:6] == b" " else text[5:])
            size += len(text)
            if size > MAX_EVENT_BYTES:
                raise ValueError(f"a server-sent event of more than {MAX_EVENT_BYTES} bytes")
        elif text.startswith(b"event:"):
            name = text[6:].strip()
        elif not text:
            if data:
                yield ServerEvent(name, b"\n".join(data), time.perf_counter_ns())
            name, data, size = b"", [], 0
    if unclosed and data:
        yield ServerEvent(name, b"\n".join(data), time.perf_counter_ns(), is_closed=False)
