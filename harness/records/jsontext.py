"""JSON in and out with money as the Decimal's own digits: 0.02886 is written 0.02886, never as a float.

One encoder for the event, the header, the log, the spool and every `--json`.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

_PLAIN_DIGITS = 40


def _default(value: object) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"not a JSON number: {value}")
        # Plain digits, but not a billion of them for 1e1000000000.
        plain = abs(value.adjusted()) < _PLAIN_DIGITS
        return orjson.Fragment(format(value, "f" if plain else "E").encode())
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def utc_text(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC with microseconds and a Z.

    Raises:
        ValueError: the moment has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment without a zone: {moment}")
    # isoformat is five times as fast as strftime; in UTC it ends in +00:00.
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")[:-6] + "Z"


def dump_json(value: Any, *, indent: bool = False, ascii_only: bool = False) -> bytes:
    """JSON bytes; Decimals keep their digits, nan and infinity become null, moments are UTC text.

    Args:
        value: dicts, lists, dataclasses, numbers, Decimals, aware datetimes, enums, None.
        indent: two spaces, for people.
        ascii_only: escape everything above 7 bits, as a header needs.

    Raises:
        TypeError: a value that JSON cannot carry.
    """
    option = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    if "numpy" in sys.modules:  # else orjson would import it to look: 0.2 s in the middle of some request
        option |= orjson.OPT_SERIALIZE_NUMPY
    if indent:
        option |= orjson.OPT_INDENT_2
    text = orjson.dumps(value, default=_default, option=option)
    if not ascii_only or text.isascii():
        return text
    return "".join(c if ord(c) < 128 else _escaped(c) for c in text.decode()).encode()


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def load_json_exact(text: str | bytes) -> Any:
    """JSON with every number that has a point or exponent read as a Decimal: its own digits.

    Raises:
        ValueError: malformed JSON, or nan and infinity, which are not JSON.
    """
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
