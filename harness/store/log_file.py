"""A log of JSON lines, as any service writes it: its events with unknown keys, and lines that are none."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from harness.records import REQUEST_EVENTS, Event
from harness.records.jsontext import load_json_exact

_EDGE_BYTES = 64 * 1024
MAX_KEPT_CHARS = 10_000
"""How much of a bad line is kept in quarantine."""
_MILLISECONDS_FROM = 1e11
_LAST_SECOND = 253_402_300_799


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: an event, or the reason why it is none."""

    offset: int
    event: Event | None
    problem: str | None
    text: str


def fingerprint(file: BinaryIO, size: int) -> str:
    """Hash of a file's beginning and of what stands before `size`; a moved, copied or grown log keeps it."""
    digest = hashlib.sha256(str(size).encode())
    for start in (0, max(0, size - _EDGE_BYTES)):
        file.seek(start)
        digest.update(file.read(min(_EDGE_BYTES, size - start)))
    return digest.hexdigest()


def log_lines(data: bytes, base_offset: int) -> Iterator[LogLine]:
    """The lines of a piece of log; blank ones are passed over."""
    offset = base_offset
    for raw in data.splitlines(keepends=True) if data else []:
        line = raw.strip()
        if line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
        if line:
            yield _log_line(line, offset)
        offset += len(raw)


def is_whole(line: bytes) -> bool:
    """True for a last line without its newline that is complete all the same."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def whole_lines(data: bytes, *, at_end: bool) -> bytes:
    """The piece up to its last complete line; at a file's end also an unfinished line that reads as one."""
    end = data.rfind(b"\n") + 1
    return data if at_end and is_whole(data[end:]) else data[:end]


def _log_line(line: bytes, offset: int) -> LogLine:
    text = line.decode("utf-8", "replace")[:MAX_KEPT_CHARS]
    try:
        payload = load_json_exact(line)
    except (ValueError, RecursionError):
        return LogLine(offset, None, "not JSON", text)
    if not isinstance(payload, dict):
        return LogLine(offset, None, "not a JSON object", text)
    name = payload.get("event")
    if not isinstance(name, str) or not name:
        return LogLine(offset, None, "no 'event' name", text)
    request_id = payload.get("request_id")
    if name in REQUEST_EVENTS and (not isinstance(request_id, str) or not request_id):
        return LogLine(offset, None, "no 'request_id'", text)
    moment = _moment(payload.get("ts"))
    if moment is None:
        return LogLine(
            offset, None, "no readable 'ts' (ISO 8601, or seconds or milliseconds since 1970)", text
        )
    event = Event(
        ts=moment,
        name=name,
        request_id=request_id if isinstance(request_id, str) else None,
        run_id=_text(payload.get("run_id")),
        environment=_text(payload.get("environment")),
        payload=payload,
    )
    return LogLine(offset, event, None, text)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> datetime | None:
    """A moment from ISO 8601 text (UTC where it names no zone) or a number of seconds or milliseconds."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        if isinstance(value, bool) or value is None:
            return None
        seconds = float(value)
        seconds = seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LAST_SECOND else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None
