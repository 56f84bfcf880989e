"""Moments as integer nanoseconds since 1970, whoever wrote them."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

_UNITS = ((10**17, 1), (10**14, 10**3), (10**11, 10**6), (1, 10**9))
"""Smallest number that is read in nanoseconds, microseconds, milliseconds, seconds; and its nanoseconds."""
_LAST_NS = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 40


def nanoseconds(value: Any) -> int | None:
    """A moment from ISO 8601 (UTC where it names no zone) or a number of s, ms, us or ns; None for none."""
    if isinstance(value, str):
        value = _of_text(value.strip())
    if isinstance(value, datetime):
        return _since(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        factor = next((factor for least, factor in _UNITS if number >= least), None)
        found = None if factor is None else int(number * factor)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return found if found is not None and 0 < found <= _LAST_NS else None


def _of_text(text: str) -> Decimal | datetime | None:
    if not text or len(text) > _LONGEST:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return Decimal(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _since(moment: datetime) -> int | None:
    try:
        apart = moment - _EPOCH
    except OverflowError:
        return None
    found = (apart.days * 86_400 + apart.seconds) * 10**9 + apart.microseconds * 1000
    return found if 0 < found <= _LAST_NS else None
