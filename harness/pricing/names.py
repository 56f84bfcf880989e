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


def forms_of(model: str) -> Iterator[str]:
    """The names an exact id may stand under: itself, dashed dates, without `-latest`, without its date.

    Only one suffix is taken off: what is left must not be dated or `-latest` itself.
    """
    ref = model.lower()
    yield ref
    if ref.endswith(_LATEST):
        base = ref.removesuffix(_LATEST)
        if not _has_suffix(base):
            yield base
    found = _DATED.fullmatch(ref)
    if found and _is_a_date(found["year"], found["month"], found["day"]):
        yield f"{found['base']}-{found['year']}-{found['month']}-{found['day']}"
        if not _has_suffix(found["base"]):
            yield found["base"]


def _has_suffix(name: str) -> bool:
    return name.endswith(_LATEST) or _DATED.fullmatch(name) is not None


def _is_a_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
