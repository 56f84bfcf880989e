"""When a model id really is a name in the price data.

The price data matches loosely: `claude-3-5-sonnet-typo` would find a price. Here an id counts only if it
equals a name, or is a dated or `-latest` form of one.
"""

import re
from collections.abc import Iterator
from datetime import date

_LATEST = "-latest"
_DATED = re.compile(
    r"(?P<base>.+?)[-@](?P<year>20\d\d)(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)", re.ASCII
)


def is_form_of(model: str, names: set[str]) -> bool:
    """True when the id is one of the names, or a dated or `-latest` form of one; case does not matter.

    Args:
        model: as sent to the provider: `claude-3-5-sonnet-20241022`, `gpt-4o-2024-08-06`, `x@20250514`.
        names: lower-case names.
    """
    return any(form in names for form in forms_of(model))


def forms_of(model: str) -> Iterator[str]:
    """The names an exact id may stand under: itself, dashed dates, without `-latest`, without its date."""
    ref = model.lower()
    yield ref
    if ref.endswith(_LATEST):
        yield ref.removesuffix(_LATEST)
    found = _DATED.fullmatch(ref)
    if found and _is_a_date(found["year"], found["month"], found["day"]):
        yield f"{found['base']}-{found['year']}-{found['month']}-{found['day']}"
        yield found["base"]


def _is_a_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
