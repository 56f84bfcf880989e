"""Figures in plain English: money, percentages, durations, dates and counts, comparable across notations.

`$1.2M`, `1,200,000 dollars` and `$1.2 million` are one figure; `18 months` and `1.5 years` are one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from harness.tasks.decisions.language.dates import clock_times_in, dates_in, same_date
from harness.tasks.decisions.language.number_words import WORDY_NUMBER, number_from_words
from harness.tasks.decisions.language.units import (
    CURRENCIES,
    DIGITS,
    DURATIONS,
    HUNDREDTHS,
    PERCENTS,
    PREFIX,
    SCALES,
    SHARED_MARKS,
    SUFFIX,
)


class FigureKind(StrEnum):
    """What a figure measures."""

    MONEY = "money"
    PERCENT = "percent"
    DURATION = "duration"
    DATE = "date"
    CLOCK = "clock"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure where it stands in a text.

    Attributes:
        kind: what it measures.
        value: the normalised amount; durations in seconds, days or months by `unit`; dates as yyyymmdd with
            zeros for what is not said; clock times in minutes after midnight.
        unit: currency code, duration base, or the word after a count (empty when nothing follows); None when
            not said.
        number: the amount before its unit: 1.5 in `1.5 years`.
        text: as written.
        start: its first character's position.
        end: one past its last.
    """

    kind: FigureKind
    value: Decimal
    unit: str | None
    number: Decimal
    text: str
    start: int
    end: int


_AMOUNT = re.compile(
    rf"(?:(?P<prefix>{PREFIX})\s?)?"
    rf"(?P<number>{DIGITS}|\b{WORDY_NUMBER}\b)"
    r"(?:\s?(?P<scale>hundred|thousand|million|billion|lakh|crore|bn|mn)\b|(?P<letter>[kmb])(?![a-z0-9]))?"
    rf"(?:\s?(?P<percent>{PERCENTS})|[\s-]?(?P<suffix>{SUFFIX})"
    rf"|[\s\u00a0-]?(?P<duration>{'|'.join(sorted(DURATIONS, key=len, reverse=True))})\b)?",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"[\s\u00a0-]?([A-Za-z][A-Za-z'\u2019-]*)")
_RANGE_GAP = re.compile(r"\s*(?:-|\u2013|\u2014|\bto\b|\band\b|\bor\b)\s*", re.IGNORECASE)
_LIST_MARK = re.compile(r"(?:^|\n|[:;,.]\s)[ \t]*\(?\d{1,2}[.)]\s")
_NUMBERED_THING = re.compile(
    r"(?:section|phase|tier|level|version|option|step|item|part|chapter|table|figure|plan|iso|no\.?|number|type|"
    r"grade|class|stage|series|model|route|line|band|ward|room|unit|zone|article|rule|day|week|year|sprint|python|"
    r"windows|ios|oracle|postgres|java)[\s-]$",
    re.IGNORECASE,
)
_IDLE_WORDS = """options option choices choice ways way alternatives paths routes things possibilities ideas
approaches of or and hand thing"""
_NO_COUNTS_OF = frozenset(_IDLE_WORDS.split())


def figures_in(text: str) -> list[Figure]:
    """The figures of a text in order; list marks, versions and names with numbers are not figures."""
    return list(_read(text))


@lru_cache(maxsize=512)
def _read(text: str) -> tuple[Figure, ...]:
    """Kept: grading reads a brief and its labels several times over."""
    dated = [
        Figure(
            kind=kind,
            value=Decimal(value),
            unit=None,
            number=Decimal(value),
            text=text[start:end],
            start=start,
            end=end,
        )
        for kind, found in ((FigureKind.DATE, dates_in(text)), (FigureKind.CLOCK, clock_times_in(text)))
        for value, start, end in found
    ]
    taken = [(figure.start, figure.end) for figure in dated]
    taken += [match.span() for match in _LIST_MARK.finditer(text)]
    amounts = [
        figure
        for match in _AMOUNT.finditer(text)
        if not any(match.start() < end and start < match.end() for start, end in taken)
        and (figure := _amount(text, match)) is not None
    ]
    found = sorted([*dated, *_with_range_units(text, amounts)], key=lambda figure: figure.start)
    return tuple(figure for figure in found if not _is_idle_count(figure))


def _amount(text: str, match: re.Match[str]) -> Figure | None:
    start, end = match.span()
    if _is_part_of_a_name(text, match.start("number"), end, has_prefix=bool(match["prefix"])):
        return None
    written = match["number"]
    digits = _SEPARATORS.sub("", written)
    value = Decimal(digits) if written[0].isdigit() else number_from_words(written)
    if value is None:
        return None
    number = value * SCALES.get((match["scale"] or match["letter"] or "").lower(), 1)
    kind, amount, unit = _measure(text, match, number)
    return Figure(
        kind=kind, value=amount, unit=unit, number=number, text=text[start:end], start=start, end=end
    )


def _measure(text: str, match: re.Match[str], number: Decimal) -> tuple[FigureKind, Decimal, str | None]:
    """What the number measures: kind, normalised amount, unit."""
    if match["percent"]:
        return FigureKind.PERCENT, number, None
    if match["prefix"] or match["suffix"]:
        mark = (match["prefix"] or match["suffix"]).lower().rstrip(".")
        return FigureKind.MONEY, number / 100 if mark in HUNDREDTHS else number, CURRENCIES.get(mark)
    if match["duration"]:
        base, factor = DURATIONS[match["duration"].lower()]
        return FigureKind.DURATION, number * factor, base
    following = _NEXT_WORD.match(text, match.end())
    return FigureKind.COUNT, number, following[1].lower() if following else ""


_SEPARATORS = re.compile("[,'\u2019\u00a0\u202f]")
_DECADE = re.compile(r"(?:19|20)\d0s")
_RATIO = re.compile(r"[/:]\d")
_VERSION = re.compile(r"\d[.,:]$")
_WORDY_BEFORE = re.compile(rf"\b{WORDY_NUMBER}[-\u2013]$", re.IGNORECASE)


def _is_part_of_a_name(text: str, start: int, end: int, *, has_prefix: bool) -> bool:
    """True for the digits of `v2`, `B2B`, `COVID-19`, `ISO 9001`, `24/7`, `#12`, `1990s`, `2nd`."""
    before, after = text[max(0, start - 14) : start], text[end : end + 2]
    if _DECADE.fullmatch(text, start, end) or after[:1].isalnum() or _RATIO.match(after):
        return True
    if has_prefix or not before:
        return False
    if before[-1].isalnum() or before[-1] in "#_/@" or _VERSION.search(before):
        return True
    if before[-1] in "-\u2013" and len(before) > 1 and before[-2].isalpha():
        return not _WORDY_BEFORE.search(before)
    return bool(_NUMBERED_THING.search(before))


def _with_range_units(text: str, amounts: list[Figure]) -> list[Figure]:
    """`8 to 10 weeks` is 8 weeks and 10 weeks; `$40-60k` is $40,000 and $60,000."""
    mended = list(amounts)
    for i in range(len(mended) - 2, -1, -1):
        low, high = mended[i], mended[i + 1]
        if not _RANGE_GAP.fullmatch(text, low.end, high.start):
            continue
        if low.kind == FigureKind.COUNT and high.kind != FigureKind.COUNT:
            factor = _factor_of(high) if high.kind in (FigureKind.DURATION, FigureKind.MONEY) else Decimal(1)
            mended[i] = replace(low, kind=high.kind, unit=high.unit, value=low.value * factor)
        elif low.kind == FigureKind.MONEY and high.kind == FigureKind.COUNT and not high.unit:
            mended[i + 1] = replace(high, kind=low.kind, unit=low.unit)
            factor = _factor_of(high) if _factor_of(low) == 1 else Decimal(1)
            mended[i] = replace(low, value=low.value * factor)
        elif low.kind == high.kind == FigureKind.COUNT:
            mended[i] = replace(low, unit=high.unit)
    return mended


def _factor_of(figure: Figure) -> Decimal:
    """By how much scale words and units multiplied the number as written."""
    match = _AMOUNT.match(figure.text)
    if match is None:
        return Decimal(1)
    written = match["number"]
    plain = Decimal(_SEPARATORS.sub("", written)) if written[0].isdigit() else None
    plain = plain if plain is not None else number_from_words(written)
    return figure.value / plain if plain else Decimal(1)


def _is_idle_count(figure: Figure) -> bool:
    """True for numbers that measure nothing: `three options`, `one of them`, a lone `two`."""
    if figure.kind != FigureKind.COUNT:
        return False
    is_word = not figure.text[0].isdigit()
    if figure.unit in (_NO_COUNTS_OF if is_word else _NO_COUNTS_OF - {"of"}):
        return True
    return is_word and figure.value < 10 and (not figure.unit or figure.value in (0, 1))


def same_figure(wanted: Figure, found: Figure) -> bool:
    """True when two figures say the same, units converted.

    A number found bare stands for any unit but a duration's; a number wanted bare is met under any unit.
    """
    if wanted.kind == found.kind == FigureKind.DATE:
        return same_date(int(wanted.value), int(found.value))
    if wanted.kind == found.kind:
        return wanted.value == found.value and _units_agree(wanted, found)
    if FigureKind.DATE in (wanted.kind, found.kind):
        return _year_alone(wanted) is not None and _year_alone(wanted) == _year_alone(found)
    bare_found = _is_bare(found) and wanted.kind != FigureKind.DURATION
    return (bare_found or _is_bare(wanted)) and wanted.number == found.number


def _is_bare(figure: Figure) -> bool:
    return figure.kind == FigureKind.COUNT and not figure.unit


def _units_agree(wanted: Figure, found: Figure) -> bool:
    one, other = wanted.unit, found.unit
    if wanted.kind == FigureKind.COUNT or one is None or other is None or one == other:
        return True
    return other in SHARED_MARKS.get(one, ()) or one in SHARED_MARKS.get(other, ())


def _year_alone(figure: Figure) -> Decimal | None:
    """The year of a date that says nothing else, or a bare number that could be one."""
    if figure.kind == FigureKind.DATE:
        return figure.value / 10_000 if figure.value % 10_000 == 0 else None
    return figure.value if figure.kind == FigureKind.COUNT else None


def missing_figures(text: str, labels: Sequence[str]) -> tuple[str, ...]:
    """The labels that a text does not mention: each figure that a label names must be found in it.

    A label that no figure can be read from counts when its own words stand in the text.
    """
    found = figures_in(text)
    plain = " ".join(text.lower().split())
    return tuple(label for label in labels if not _is_mentioned(label, found, plain))


def _is_mentioned(label: str, found: Sequence[Figure], plain: str) -> bool:
    wanted = figures_in(label) or figures_in(f"in {label}")  # a lone month is a date only after "in"
    if not wanted:
        return " ".join(label.lower().split()) in plain
    return all(any(same_figure(figure, other) for other in found) for figure in wanted)


def mentions_figure(text: str, label: str) -> bool:
    """True when a text mentions what a label names; see `missing_figures`."""
    return not missing_figures(text, [label])
