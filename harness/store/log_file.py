"""A log of JSON lines, as any service writes it: its events with unknown keys, and lines that are none."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from harness.records import Event, environment_name
from harness.store.log_access import Access, access_of
from harness.store.log_text import json_values
from harness.store.log_wrappers import entries, is_json_object, moment_of, storable, unwrapped

_FIRST_WORD = re.compile(r"\s*(\S+)")
_EDGE_BYTES = 64 * 1024
MAX_KEPT_CHARS = 10_000
"""How much of a bad line is kept in quarantine."""
UNNAMED_PREFIX = "unnamed-line-"
"""How a request without an id is called: by the byte offset of its line."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: an event, the reason why it is a bad line, or neither, when it is about something else.

    Attributes:
        access: what an access line says; it counts where an event lacks it, or there is none.
    """

    offset: int
    event: Event | None = None
    problem: str | None = None
    text: str = ""
    access: Access | None = None

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
    parts: dict[bytes, bytes] = {}
    while start < len(data):
        newline = data.find(b"\n", start)
        end = len(data) if newline < 0 else newline
        line = data[start:end].strip().removeprefix(b"\xef\xbb\xbf")
        if (split := _PARTIAL.match(line)) is not None:
            parts[split[2]] = parts.get(split[2], b"") + line[split.end() :]
            whole = split[3] == b"F"
            line = b"%s %s F %s" % (split[1], split[2], parts.pop(split[2])) if whole else b""
        if line:
            yield from _log_entries(line, offset + start, environment)
        start = end + 1


def whole_lines(data: bytes, *, at_end: bool) -> bytes:
    """The piece up to its last complete line; at a file's end also an unfinished line that reads as one."""
    end = data.rfind(b"\n") + 1
    if at_end and is_json_object(data[data.find(b"{", end) if b"{" in data[end:] else end :]):
        return data
    while end and not at_end:  # a line that a container's runtime split stays together
        begin = data.rfind(b"\n", 0, end - 1) + 1
        split = _PARTIAL.match(data[begin:end])
        if split is None or split[3] == b"F":
            break
        end = begin
    return data[:end]


_PARTIAL = re.compile(rb"(\S+) (stdout|stderr) ([PF]) ")
"""A line of the container runtime interface: time, stream, if it ends the line (F) or is a part of it (P)."""
_LATEST_START = 8
"""How many braces of a line are tried as the beginning of its JSON."""


def _log_entries(line: bytes, offset: int, environment: str | None) -> Iterator[LogLine]:
    """What one line holds: mostly one entry, but shippers put many into one."""
    try:
        values, before = line_values(line)
    except (ValueError, RecursionError):
        yield LogLine(offset, problem="not JSON", text=_kept(line))
        return
    found: list[Any] = []
    for value in values:
        inside = entries(value) if isinstance(value, dict) and unwrapped(value) is None else None
        found += inside if inside is not None else [value]
    for number, value in enumerate(found):
        place = str(offset) if len(found) == 1 else f"{offset}-{number + 1}"
        read = _entry(value, before, place, environment)
        yield replace(read, offset=offset, text=_kept(line) if read.problem else "")


def line_values(line: bytes) -> tuple[list[Any], str]:
    """The JSON of a line, and what stands before it: a runtime's or a shipper's time, stream, labels."""
    text = line.decode()
    try:
        return json_values(text), ""
    except ValueError:
        at = -1
        for _ in range(_LATEST_START):
            at = text.find("{", at + 1)
            if at < 0:
                break
            with suppress(ValueError):
                values = json_values(text[at:])
                if all(isinstance(value, dict) for value in values):
                    return values, text[:at]
        raise


def _entry(parsed: Any, before: str, place: str, environment: str | None) -> LogLine:
    """One entry; whose offset and text are its line's."""
    if not isinstance(parsed, dict):
        return LogLine(0, problem="not a JSON object")
    if moment_of(parsed) is None and (written := _FIRST_WORD.match(before)):
        parsed = {**parsed, "timestamp": written[1]}
    found = unwrapped(parsed)
    if found is None:
        return LogLine(0, access=access_of(parsed, moment_of(parsed)))
    name, told = found
    payload = storable(told)
    if payload is None:
        return LogLine(0, problem="nested too deeply")
    moment = moment_of(payload)
    if moment is None:
        return LogLine(0, problem="no readable time ('ts', ISO 8601 or seconds to nanoseconds since 1970)")
    event = Event(
        ts=moment,
        name=name,
        # A request without an id is a request all the same: its place in the log tells it from others.
        request_id=_text(payload.get("request_id")) or f"{UNNAMED_PREFIX}{place}",
        run_id=_text(payload.get("run_id")),
        environment=environment_name(_text(payload.get("environment")) or environment),
        payload=payload,
    )
    return LogLine(0, event)


def _kept(line: bytes) -> str:
    return line[: 4 * MAX_KEPT_CHARS].decode("utf-8", "replace")[:MAX_KEPT_CHARS]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
