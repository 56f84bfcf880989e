"""One place in a JSON answer, named by an RFC 6901 pointer (`/options/0/title`; empty is the whole)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import dump_json

POINTER = r"^(/([^~/]|~[01])*)*$"
MISSING = object()
"""Nothing stands there."""
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


def value_at(document: Any, pointer: str) -> Any:
    """The value at a pointer, or `MISSING`."""
    value = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, Sequence) and not isinstance(value, str) and _INDEX.fullmatch(key):
            index = int(key)
            if index >= len(value):
                return MISSING
            value = value[index]
        else:
            return MISSING
    return value


def text_of(value: Any) -> str:
    """A text as it is, anything else as compact JSON."""
    return value if isinstance(value, str) else dump_json(value).decode()
