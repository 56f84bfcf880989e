"""Where in an answer something stands: a JSON pointer, a response header, or an event of a stream.

Source: RFC 6901 (JSON pointers)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import ConfigError
from harness.inputs import ABSENT

ANY_EVENT = "*"
_HEADER = re.compile(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
_WHAT = "write a JSON pointer (/summary), header:Name or event:NAME#/pointer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of an answer.

    Attributes:
        text: as written.
        source: the file and line that name it.
        header: the header's name; None for a place in the body.
        event: the event's name in a stream; `*` for any event, None for a body in one piece.
        pointer: the parts that lead to the value; none for the whole.
    """

    text: str
    source: str
    header: str | None = None
    event: str | None = None
    pointer: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, source: str, *, streamed: bool = False) -> "Place":
        """A place as written; in a stream a bare pointer means any event.

        Raises:
            ConfigError: it is none; names the line.
        """
        kind, colon, rest = text.partition(":")
        if text.startswith("/") or not text:
            event = ANY_EVENT if streamed else None
            return cls(text=text, source=source, event=event, pointer=_parts(text, source))
        if colon and kind == "header" and _HEADER.match(rest.strip()):
            return cls(text=text, source=source, header=rest.strip().lower())
        if colon and kind == "event":
            if not streamed:
                raise ConfigError(
                    source, f"'{text[:80]}' names an event, but the answer is not `stream: sse`"
                )
            name, _, pointer = rest.partition("#")
            return cls(text=text, source=source, event=name.strip(), pointer=_parts(pointer, source))
        raise ConfigError(source, f"'{text[:80]}' is no place in an answer: {_WHAT}")

    def is_told_by(self, event: str) -> bool:
        """Whether an event of this name may tell it; unnamed events are called `message`, as in browsers."""
        return self.event in (ANY_EVENT, event) or (self.event == "message" and not event)

    def within(self, body: Any) -> Any:
        """The value under the pointer; `ABSENT` where there is none."""
        value = body
        for part in self.pointer:
            if isinstance(value, Mapping):
                if part not in value:
                    return ABSENT
                value = value[part]
            elif isinstance(value, list):
                index = _index(part, len(value))
                if index is None:
                    return ABSENT
                value = value[index]
            else:
                return ABSENT
        return value


def _parts(pointer: str, source: str) -> tuple[str, ...]:
    if not pointer:
        return ()
    if not pointer.startswith("/") or re.search(r"~(?![01])", pointer):
        raise ConfigError(source, f"'{pointer[:80]}' is no JSON pointer: {_WHAT}")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def _index(part: str, length: int) -> int | None:
    """A place in a list; `-` is its last element, which RFC 6901 leaves to us."""
    if part == "-":
        return length - 1 if length else None
    return int(part) if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < length else None
