"""What the wires have in common that stream server-sent events and name the model in the body."""

from typing import Any

import orjson

from harness.emulator.connection import Headers
from harness.emulator.wire.ask import WireError


class SseWire:
    """The ordinary ways of a wire; the others override them."""

    call_id_headers: tuple[bytes, ...] = (b"x-client-request-id",)
    stream_type = b"text/event-stream; charset=utf-8"

    def model_in(self, body: dict[str, Any]) -> str:
        """The body's `model`."""
        model = body.get("model")
        return model if isinstance(model, str) else ""

    def garbled(self, frame: bytes) -> bytes:
        """Without the last brace of each event."""
        return frame.replace(b"}\n\n", b"\n\n")

    def error_headers(self, error: WireError) -> Headers:
        """`retry-after` in seconds, rounded up, and `retry-after-ms`."""
        wait_ms = error.retry_after_ms
        if wait_ms is None:
            return []
        return [
            (b"retry-after", b"%d" % -(-wait_ms // 1000)),
            (b"retry-after-ms", f"{wait_ms:g}".encode()),
        ]


def sse(data: dict[str, Any]) -> bytes:
    """One unnamed server-sent event."""
    return b"data: " + orjson.dumps(data) + b"\n\n"
