"""A log of JSON lines, as any service writes it: its events with unknown keys, and lines that are none."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from harness.records import Event, environment_name
from harness.records.jsontext import load_json_exact
from harness.store.log_wrappers import is_json_object, moment_of, storable, unwrapped

_EDGE_BYTES = 64 * 1024
MAX_KEPT_CHARS = 10_000
"""How much of a bad line is kept in quarantine."""
UNNAMED_PREFIX = "unnamed-line-"
"""How a request without an id is called: by the byte offset of its line."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: an event, the reason why it is a bad line, or neither, when it is about something else."""

    offset: int
    event: Event | None = None
    problem: str | None = None
    text: str = ""

    @property
    def skipped(self) -> bool:
        """True for a good line that is no event about a request."""
        return self.event is None and self.problem is None


def fingerprint(file: BinaryIO, size: int) -> str:
    """Hash of a file's beginning and of what stands before `size`; a moved, copied or grown log keeps it."""
    digest = hashlib.sha256(str(size).encode())
    for start in (0, max(0, size - _EDGE_BYTES)):
        file.seek(start)
        digest.update(file.read(min(_EDGE_BYTES, size - start)))
    return digest.hexdigest()


def log_lines(data: bytes, base_offset: int, *, environment: str | None = None) -> Iterator[LogLine]:
    """The lines of a piece of log; blank ones are passed over.

    Args:
        data: complete lines.
        base_offset: the file offset of `data[0]`.
        environment: of events that do not tell theirs.
    """
    offset = base_offset
    start = 0
    while start < len(data):
        newline = data.find(b"\n", start)
        end = len(data) if newline < 0 else newline
        line = data[start:end].strip().removeprefix(b"\xef\xbb\xbf")
        if line:
            yield _log_line(line, offset + start, environment)
        start = end + 1


def whole_lines(data: bytes, *, at_end: bool) -> bytes:
    """The piece up to its last complete line; at a file's end also an unfinished line that reads as one."""
    end = data.rfind(b"\n") + 1
    return data if at_end and is_json_object(data[end:]) else data[:end]


def _log_line(line: bytes, offset: int, environment: str | None) -> LogLine:
    try:
        parsed = load_json_exact(line)
    except (ValueError, RecursionError):
        return _bad(line, offset, "not JSON")
    if not isinstance(parsed, dict):
        return _bad(line, offset, "not a JSON object")
    found = unwrapped(parsed)
    if found is None:
        return LogLine(offset)
    name, told = found
    payload = storable(told)
    if payload is None:
        return _bad(line, offset, "nested too deeply")
    moment = moment_of(payload)
    if moment is None:
        return _bad(line, offset, "no readable time ('ts', ISO 8601 or seconds to nanoseconds since 1970)")
    event = Event(
        ts=moment,
        name=name,
        # A request without an id is a request all the same: its place in the log tells it from others.
        request_id=_text(payload.get("request_id")) or f"{UNNAMED_PREFIX}{offset}",
        run_id=_text(payload.get("run_id")),
        environment=environment_name(_text(payload.get("environment")) or environment),
        payload=payload,
    )
    return LogLine(offset, event)


def _bad(line: bytes, offset: int, problem: str) -> LogLine:
    return LogLine(
        offset, None, problem, line[: 4 * MAX_KEPT_CHARS].decode("utf-8", "replace")[:MAX_KEPT_CHARS]
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
