"""Server-sent events out of a body's bytes as they arrive, bounded: an endless line ends in an error.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html (ids and retry are not used here).
"""

from collections.abc import Iterator

MOST_LINE_BYTES = 1024 * 1024
MOST_EVENTS = 300_000
"""Twice the longest answers of today at one token an event."""
MOST_STREAM_BYTES = 128 * 1024 * 1024
"""Of a whole stream as it arrives, event frames included; they are ten times and more their text."""
MOST_BODY_BYTES = 16 * 1024 * 1024
"""Of an answer in one piece, and of the text of a streamed one."""
DONE = b"[DONE]"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class TooLargeError(ValueError):
    """An answer goes beyond what any model says; the message is a clause."""


class EventSplitter:
    """Cuts a body into events; see `feed`.

    Args:
        most_line_bytes: of a line, and of the data of an event.
        most_events: of the stream.
        most_bytes: of the stream.
    """

    def __init__(
        self,
        *,
        most_line_bytes: int = MOST_LINE_BYTES,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_STREAM_BYTES,
    ) -> None:
        self._most_line_bytes = most_line_bytes
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._rest: list[bytes] = []
        self._rest_bytes = 0
        self._bytes = 0
        self._events = 0
        self._name = ""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._skips_line_feed = False
        self._is_first = True

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The events that this chunk completes, as name (empty for unnamed ones) and data.

        Raises:
            TooLargeError: beyond one of the limits.
        """
        self._bytes += len(chunk)
        if self._bytes > self._most_bytes:
            raise TooLargeError(f"the stream is larger than {self._most_bytes} bytes")
        if self._skips_line_feed and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._skips_line_feed = False
        if b"\r" in chunk:
            self._skips_line_feed = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = chunk.split(b"\n")
        if not lines:
            self._keep(rest)
            return
        if self._rest:
            lines[0] = b"".join([*self._rest, lines[0]])
            self._rest, self._rest_bytes = [], 0
        self._keep(rest)
        if self._is_first:
            lines[0], self._is_first = lines[0].removeprefix(_BYTE_ORDER_MARK), False
        for line in lines:
            if line:
                self._take(line)
            elif self._data:
                yield self._event()
            else:
                self._name = ""

    def end(self) -> Iterator[tuple[str, bytes]]:
        """What is left at the end of the body: an event whose closing blank line never came, maybe cut."""
        if self._rest:
            self._take(b"".join(self._rest))
            self._rest = []
        if self._data:
            yield self._event()

    def _keep(self, rest: bytes) -> None:
        if not rest:
            return
        self._rest.append(rest)
        self._rest_bytes += len(rest)
        if self._rest_bytes > self._most_line_bytes:
            raise TooLargeError(f"a line of the stream is longer than {self._most_line_bytes} bytes")

    def _take(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            data = line[6:] if line[5:6] == b" " else line[5:]
            self._data.append(data)
            self._data_bytes += len(line)
            if self._data_bytes > self._most_line_bytes:
                raise TooLargeError(f"an event of the stream is larger than {self._most_line_bytes} bytes")
        elif line.startswith(b"event:"):
            self._name = line[6:].strip().decode(errors="replace")

    def _event(self) -> tuple[str, bytes]:
        self._events += 1
        if self._events > self._most_events:
            raise TooLargeError(f"the stream has more than {self._most_events} events")
        event = self._name, (self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
        self._name, self._data, self._data_bytes = "", [], 0
        return event
