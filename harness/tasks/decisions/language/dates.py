"""Dates and clock times in plain English, as comparable numbers."""

import re
from collections.abc import Iterator

_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = _MONTH_NAMES.split()
_MONTH_NUMBER = (
    {name: i for i, name in enumerate(_MONTHS, start=1)}
    | {name[:3]: i for i, name in enumerate(_MONTHS, start=1)}
    | {"sept": 9}
)
_MONTH = rf"(?:{'|'.join(_MONTHS)}|sept|{'|'.join(name[:3] for name in _MONTHS)})\.?"
_YEAR = r"(?:19|20)\d\d"

_DATE = re.compile(
    rf"\b(?P<iso>{_YEAR}-\d\d-\d\d)\b"
    rf"|\b(?P<day1>\d{{1,2}})(?:st|nd|rd|th)?(?:\sof)?\s(?P<month1>{_MONTH})(?:,?\s(?P<year1>{_YEAR}))?\b"
    rf"|\b(?P<month2>{_MONTH})\s(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s(?P<year2>{_YEAR}))?\b"
    rf"|\b(?P<month3>{_MONTH})\s(?P<year3>{_YEAR})\b"
    rf"|\b(?P<quarter>Q[1-4])(?:\s(?P<year4>{_YEAR}))?\b"
    r"|\b(?:(?:by|in|until|before|after|from|since|of|early|late|mid|during|next|last|this)[\s-])"
    rf"(?P<month5>{'|'.join(_MONTHS)})\b(?!,?\s{_YEAR}\b|\s\d{{1,2}}\b)"
    r"|\b(?:(?:by|in|until|before|after|from|since|of|early|late|mid|during|FY)[\s-]?)"
    rf"(?P<year6>{_YEAR})\b(?![-\u2013,.]?\d|\s?%)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4])(?::(?P<minute>[0-5]\d))?\s?(?P<half>[ap]\.?m\b\.?)"
    r"|(?<![\d:.])(?P<hour24>[01]?\d|2[0-4]):(?P<minute24>[0-5]\d)(?![\d:])",
    re.IGNORECASE,
)


def dates_in(text: str) -> Iterator[tuple[int, int, int]]:
    """Dates as (yyyymmdd with zeros for what is not said, start, end); quarters as month 20 + n."""
    for match in _DATE.finditer(text):
        said = {name: value for name, value in match.groupdict().items() if value}
        if "iso" in said:
            yield int(said["iso"].replace("-", "")), *match.span()
            continue
        if "month5" in said and not said["month5"][0].isupper():
            continue  # "in may" is no month, "by March" is
        year = _first(said, "year")
        month_name = _first_text(said, "month").lower().rstrip(".")
        month = 20 + int(said["quarter"][1]) if "quarter" in said else _MONTH_NUMBER.get(month_name, 0)
        start = match.start(f"{_last_name(said)}") if _last_name(said) else match.start()
        yield year * 10_000 + month * 100 + _first(said, "day"), start, match.end()


def _last_name(said: dict[str, str]) -> str | None:
    """The group that starts after a preposition, which is no part of the date."""
    return next((name for name in ("month5", "year6") if name in said), None)


def _first(said: dict[str, str], name: str) -> int:
    return next((int(value) for key, value in said.items() if key.startswith(name)), 0)


def _first_text(said: dict[str, str], name: str) -> str:
    return next((value for key, value in said.items() if key.startswith(name)), "")


def clock_times_in(text: str) -> Iterator[tuple[int, int, int]]:
    """Clock times as (minutes after midnight, start, end)."""
    for match in _CLOCK.finditer(text):
        hour = int(match["hour"] or match["hour24"])
        if match["half"]:
            hour = hour % 12 + (12 if match["half"].lower().startswith("p") else 0)
        yield hour * 60 + int(match["minute"] or match["minute24"] or 0), *match.span()


def same_date(one: int, other: int) -> bool:
    """True when two yyyymmdd agree in all that both of them say, and say something in common."""
    pairs = [
        (one // 10_000, other // 10_000),
        (one // 100 % 100, other // 100 % 100),
        (one % 100, other % 100),
    ]
    said_by_both = [(a, b) for a, b in pairs if a and b]
    return bool(said_by_both) and all(a == b for a, b in said_by_both)
