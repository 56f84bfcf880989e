"""A body's bytes into a room, as they arrive: events of a stream, or one JSON text, whichever comes.

What comes decides, not its content type: endpoints that cannot stream answer whole, some stream unasked, and
many name the one as the other.
"""

from typing import Protocol

from harness.providers.reading.events import DONE, MOST_BODY_BYTES, EventSplitter, TooLargeError
from harness.providers.reading.values import parse

_BLANK = b" \t\r\n\xef\xbb\xbf"


class UnreadableError(ValueError):
    """A body or an event of it is not JSON; the message is a clause."""


class Sink(Protocol):
    """Whoever takes in what a body holds: a room, or what times one."""

    @property
    def is_over(self) -> bool:
        """Nothing more is wanted: the stream said that it ended, or an error came."""
        ...

    def take_event(self, event: object, *, name: str = "") -> object:
        """One decoded event."""
        ...

    def take_done(self) -> object:
        """The stream's own end mark."""
        ...

    def take_whole(self, body: object) -> object:
        """A decoded body in one piece."""
        ...


class BodyReader:
    """Feeds a sink from one body, bounded.

    Args:
        sink: takes it in.
        most_body_bytes: of a body in one piece.
        splitter: cuts a stream into events; its limits are those of the stream.
    """

    def __init__(
        self, sink: Sink, *, most_body_bytes: int = MOST_BODY_BYTES, splitter: EventSplitter | None = None
    ) -> None:
        self._sink = sink
        self._most_body_bytes = most_body_bytes
        self._splitter = splitter or EventSplitter()
        self._is_stream: bool | None = None
        self._parts: list[bytes] = []
        self._bytes = 0

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes in; False when no more are wanted.

        Raises:
            TooLargeError: beyond one of the limits.
            UnreadableError: an event is not JSON.
        """
        if self._is_stream is None:
            chunk = self._opened(chunk)
        if self._is_stream:
            for name, data in self._splitter.feed(chunk):
                if data.startswith(DONE):
                    self._sink.take_done()
                elif data:
                    self._sink.take_event(_event(name, data), name=name)
                if self._sink.is_over:
                    return False
        elif chunk:
            self._keep(chunk)
        return True

    def end(self) -> None:
        """The body ended: take what is left.

        Raises:
            UnreadableError: a body in one piece is not JSON.
        """
        if self._is_stream:
            for name, data in self._splitter.end():
                self._take_last(name, data)
        elif self._is_stream is False:
            self._sink.take_whole(_decoded(b"".join(self._parts), "the answer"))

    def _opened(self, chunk: bytes) -> bytes:
        """The bytes up to here, once the first that is not blank has shown what this is."""
        self._keep(chunk)
        begun = b"".join(self._parts)
        start = begun.lstrip(_BLANK)
        if not start:
            return b""
        self._is_stream = start[:1] not in (b"{", b"[")
        self._parts, self._bytes = [], 0
        return begun

    def _keep(self, chunk: bytes) -> None:
        self._bytes += len(chunk)
        if self._bytes > self._most_body_bytes:
            raise TooLargeError(f"the answer is larger than {self._most_body_bytes} bytes")
        self._parts.append(chunk)

    def _take_last(self, name: str, data: bytes) -> None:
        """An event without its closing blank line: whole, or cut, and then it never was."""
        if data.startswith(DONE):
            self._sink.take_done()
            return
        try:
            event = parse(data)
        except ValueError:
            return
        self._sink.take_event(event, name=name)


def _event(name: str, data: bytes) -> object:
    """An event's data; an error event may be a plain text."""
    if name == "error" and data[:1] not in (b"{", b"["):
        return {"error": data.decode(errors="replace")}
    return _decoded(data, "an event of the stream")


def _decoded(data: bytes, what: str) -> object:
    try:
        return parse(data)
    except ValueError as error:
        raise UnreadableError(f"{what} is not readable JSON") from error
