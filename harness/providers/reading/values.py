"""JSON values from outside, read with suspicion: a value of the wrong type is not told."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

JsonObject = Mapping[str, Any]
EMPTY: JsonObject = {}

MOST_TOKENS = 10**9
"""More in one call is no count."""
MOST_USD = Decimal(10**6)
_WORD_CHARS = 200
_DEEPEST_MERGE = 4
_LONGEST_NUMBER = 40


class Illegible(ValueError):  # noqa: N818 - a finding about a value, caught where it is read
    """A value stands where a number should, and it is none."""


def parse(data: bytes | str) -> Any:
    """The JSON of one event or body; NaN, infinity and numbers of any length are let in, to be judged later.

    Raises:
        ValueError: it is not JSON, or nested beyond reason.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # the standard's parser takes a few things more that providers really write
    try:
        return json.loads(data, parse_int=_whole_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _whole_number(digits: str) -> float | int:
    return float("inf") if len(digits) > _LONGEST_NUMBER else int(digits)


def as_object(value: object) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else EMPTY


def as_list(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_word(value: object) -> str | None:
    """A short printable text (a model, an id, a reason); None for anything else, and for an empty one."""
    if not isinstance(value, str):
        return None
    word = value[:_WORD_CHARS].strip()
    if not word.isprintable():
        word = "".join(char for char in word if char.isprintable())
    return word or None


def as_count(value: object) -> int | None:
    """A number of tokens or requests; None for null.

    Raises:
        Illegible: anything else that is no whole number from 0 to `MOST_TOKENS`.
    """
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MOST_TOKENS:
        raise Illegible
    return value


def as_count_or_none(value: object) -> int | None:
    """A number of tokens or requests; None for whatever is none."""
    try:
        return as_count(value)
    except Illegible:
        return None


def as_usd(value: object) -> Decimal | None:
    """An amount of money, of a number or of its digits as text; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        return None
    try:
        amount = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() and 0 <= amount < MOST_USD else None


def merged(earlier: JsonObject, later: JsonObject, *, depth: int = 0) -> dict[str, Any]:
    """Counts told again replace earlier ones; a null or a zero never erases what was told.

    Args:
        earlier: what is known.
        later: what the stream tells now.
        depth: of the nesting, bounded.
    """
    result = dict(earlier)
    for key, value in later.items():
        known = result.get(key)
        if isinstance(value, dict) and isinstance(known, dict) and depth < _DEEPEST_MERGE:
            result[key] = merged(known, value, depth=depth + 1)
        elif value or (value is not None and not known):
            result[key] = value
    return result


def whole_text(parts: list[str]) -> str:
    """The parts as one text that can be written as UTF-8: halves of a character are joined or replaced."""
    text = "".join(parts)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
