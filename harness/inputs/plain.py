"""What every format has to end as: objects, lists, texts, numbers, true, false and null, of bounded depth."""

from decimal import Decimal
from math import isfinite
from typing import Any

from harness.errors import ConfigError

MOST_LEVELS = 50
"""Deepest nesting. Our own files need less than ten; Python's stack ends near a thousand."""
MOST_EXPONENT = 1_000
"""A few bytes like 1e999999999 would be gigabytes as a whole number."""
TOO_DEEP = f"is nested deeper than {MOST_LEVELS} levels"


def require_plain(content: Any, source: str, *, infinite: bool = False) -> Any:
    """The content itself, once every value in it has been looked at.

    Args:
        content: as a parser made it.
        source: what messages call it.
        infinite: let NaN and infinity pass, for a model that refuses them itself.

    Raises:
        ConfigError: something in it is no plain data; names its place.
    """
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(content, ())]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, dict | list):
            if len(place) >= MOST_LEVELS:
                raise ConfigError(source, TOO_DEEP)
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            for name, item in pairs:
                problem = _problem(name, infinite=infinite) if isinstance(name, str) else None
                if problem is not None:
                    raise ConfigError(source, f"a key {problem}")
                waiting.append((item, (*place, name)))
            continue
        problem = _problem(value, infinite=infinite)
        if problem is not None:
            where = ".".join(str(part) for part in place) or "the whole file"
            raise ConfigError(source, f"'{where}' {problem}")
    return content


def _problem(value: Any, *, infinite: bool) -> str | None:
    """What keeps a scalar from being plain data, as a clause; None when nothing does."""
    if isinstance(value, str):
        if "\0" in value:
            return "holds a NUL character"
        return None if _encodes(value) else "holds half a character (a lone surrogate)"
    if isinstance(value, float):
        return None if infinite or isfinite(value) else "is not a finite number"
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, Decimal | int):
        return None if _fits(value) else "is not a number that can be reckoned with"
    return f"is a {type(value).__name__}; write it as text, in quotes"


def _fits(number: Decimal | int) -> bool:
    if isinstance(number, int):
        return -(2**63) <= number < 2**64  # what JSON writers can write again
    return number.is_finite() and abs(number.adjusted()) <= MOST_EXPONENT


def _encodes(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
