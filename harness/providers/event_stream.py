"""Amazon's binary event stream out of a body's bytes as they arrive, by botocore's own decoder, bounded."""

from botocore.eventstream import EventStreamBuffer, EventStreamMessage, ParserError

from harness.providers.reading.body import Sink, UnreadableError
from harness.providers.reading.events import MOST_STREAM_BYTES, TooLargeError
from harness.providers.reading.values import parse

STREAM_TYPE = "application/vnd.amazon.eventstream"


class EventStreamReader:
    """Feeds a sink from one body; see `BodyReader`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = EventStreamBuffer()
        self._bytes = 0

    def feed(self, chunk: bytes) -> bool:
        """Take the next bytes in; False when no more are wanted.

        Raises:
            TooLargeError: the stream is beyond any answer's size.
            UnreadableError: a message's checksum is wrong, or its payload is not JSON.
        """
        self._bytes += len(chunk)
        if self._bytes > MOST_STREAM_BYTES:
            raise TooLargeError(f"the stream is larger than {MOST_STREAM_BYTES} bytes")
        self._buffer.add_data(chunk)
        try:
            for message in self._buffer:
                self._take(message)
                if self._sink.is_over:
                    return False
        except ParserError as error:
            raise UnreadableError("a message of the stream is damaged") from error
        return True

    def end(self) -> None:
        """The body ended; what is left of a message never was."""

    def _take(self, message: EventStreamMessage) -> None:
        headers = message.headers
        name = headers.get(":event-type") or headers.get(":exception-type")
        if headers.get(":message-type") == "error":
            told: object = {"code": headers.get(":error-code"), "message": headers.get(":error-message")}
            self._sink.take_event(told, name="unmodelledException")
            return
        try:
            event = parse(message.payload)
        except ValueError as error:
            raise UnreadableError("an event of the stream is not readable JSON") from error
        self._sink.take_event(event, name=str(name))
