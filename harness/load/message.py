"""What is sent and what comes back, as scenarios see it, whichever transport carries it."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(slots=True, kw_only=True)
class RequestLine:
    """Everything of a request but its id and its body; many requests share one.

    Attributes:
        path: with its query, under the target.
        head: the bytes that a transport makes of it once.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    head: bytes = b""


class Response(Protocol):
    """What an exchange reads: geventhttpclient's response, or preflight's."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    def get(self, key: str, default: str | None = None) -> Any:
        """A header, by any case."""

    def read(self, length: int | None = None) -> bytes:
        """The whole body, or its next `length` bytes."""

    def readline(self, sep: bytes = ...) -> bytes:
        """The next line with its end, as soon as it is there; empty at the end of the body."""

    def piece(self) -> bytes:
        """What has arrived of the body, as soon as anything has; empty at its end."""


class Sender(Protocol):
    """Whoever sends a request under an id."""

    def send(self, line: RequestLine, request_id: str, body: bytes | None) -> Response:
        """Send, and return when the headers of the answer are in."""
