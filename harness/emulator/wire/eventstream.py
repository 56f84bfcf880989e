"""Amazon's binary event stream: messages with typed headers and two checksums.

Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html, event stream encoding.
"""

import struct
import zlib
from typing import Any

import orjson

_STRING = 7
_JSON = {":content-type": "application/json"}
_PRELUDE_BYTES, _CHECKSUM_BYTES = 12, 4


def event(name: str, data: dict[str, Any]) -> bytes:
    """One event."""
    return _message(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"}, data
    )


def exception(name: str, data: dict[str, Any]) -> bytes:
    """One modelled exception; no event follows it."""
    return _message({":exception-type": name, **_JSON, ":message-type": "exception"}, data)


def cut_short(messages: bytes) -> bytes:
    """The same messages, each with its payload one byte shorter and its checksums right again."""
    cut = b""
    while messages:
        size, head_size = struct.unpack("!II", messages[:8])
        head = messages[_PRELUDE_BYTES : _PRELUDE_BYTES + head_size]
        cut += _framed(head, messages[_PRELUDE_BYTES + head_size : size - _CHECKSUM_BYTES - 1])
        messages = messages[size:]
    return cut


def _message(headers: dict[str, str], data: dict[str, Any]) -> bytes:
    head = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", _STRING, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    return _framed(head, orjson.dumps(data))


def _framed(head: bytes, payload: bytes) -> bytes:
    size = _PRELUDE_BYTES + len(head) + len(payload) + _CHECKSUM_BYTES
    prelude = struct.pack("!II", size, len(head))
    body = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + payload
    return body + struct.pack("!I", zlib.crc32(body))
