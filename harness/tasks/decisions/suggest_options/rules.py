"""The rules of suggested options: how many, how long, and that no two are the same thing twice."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from harness.errors import BadOutputError
from harness.tasks.base import Violation
from harness.tasks.decisions.language.wording import key_stems
from harness.tasks.decisions.suggest_options.answer import (
    MAX_OPTIONS,
    MAX_POINT_CHARS,
    MAX_POINTS,
    MAX_TITLE_CHARS,
    MIN_OPTIONS,
    MIN_POINTS,
    POINT_LISTS,
    SuggestedOption,
    Suggestions,
)
from harness.tasks.plaintext import clipped

VIOLATION_CODES = (
    "TOO_FEW_OPTIONS",
    "TOO_MANY_OPTIONS",
    "NO_TITLE",
    "TITLE_TOO_LONG",
    "TOO_FEW_POINTS",
    "TOO_MANY_POINTS",
    "POINT_TOO_LONG",
    "REPEATED_POINT",
    "SAME_OPTION_TWICE",
    "UNREADABLE_PART",
)
"""The rules' codes: a public contract of reports and tests."""

SAME_TITLE_OVERLAP = 0.75
"""Two titles name one option when their telling words overlap (Jaccard) this much."""


def violations_of(answer: Suggestions) -> tuple[Violation, ...]:
    """Every broken rule; empty when the answer is good."""
    return (
        *(Violation(code="UNREADABLE_PART", message=clause) for clause in answer.unreadable),
        *_count_violations(answer),
        *(found for option in answer.options for found in _option_violations(option)),
        *(
            Violation(code="SAME_OPTION_TWICE", message=f"says the same as {first.id}", where=second.id)
            for first, second in same_options(answer.options)
        ),
    )


def _count_violations(answer: Suggestions) -> Iterator[Violation]:
    count = len(answer.options)
    if count < MIN_OPTIONS:
        yield Violation(code="TOO_FEW_OPTIONS", message=f"{count} options, at least {MIN_OPTIONS} are needed")
    if count > MAX_OPTIONS:
        yield Violation(
            code="TOO_MANY_OPTIONS", message=f"{count} options, at most {MAX_OPTIONS} are allowed"
        )


def _option_violations(option: SuggestedOption) -> Iterator[Violation]:
    if not option.title:
        yield Violation(code="NO_TITLE", message="an option needs a title", where=option.id)
    if len(option.title) > MAX_TITLE_CHARS:
        message = f"the title has {len(option.title)} characters, at most {MAX_TITLE_CHARS} are allowed"
        yield Violation(code="TITLE_TOO_LONG", message=message, where=option.id)
    for name in POINT_LISTS:
        points, where = option.points(name), f"{option.id}.{name}"
        if len(points) < MIN_POINTS:
            message = f"{len(points)} entries, at least {MIN_POINTS} are needed"
            yield Violation(code="TOO_FEW_POINTS", message=message, where=where)
        if len(points) > MAX_POINTS:
            message = f"{len(points)} entries, at most {MAX_POINTS} are allowed"
            yield Violation(code="TOO_MANY_POINTS", message=message, where=where)
        if any(len(point) > MAX_POINT_CHARS for point in points):
            message = f"an entry is longer than {MAX_POINT_CHARS} characters"
            yield Violation(code="POINT_TOO_LONG", message=message, where=where)
        if len({_plain(point) for point in points}) < len(points):
            yield Violation(code="REPEATED_POINT", message="an entry stands there twice", where=where)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def same_options(options: tuple[SuggestedOption, ...]) -> list[tuple[SuggestedOption, SuggestedOption]]:
    """Pairs that name one option twice: equal titles, or nearly the same telling words.

    Words that every title has (the goal, repeated) tell nothing and are set aside.
    """
    stems = {option.id: key_stems(option.title) for option in options}
    shared = frozenset.intersection(*stems.values()) if len(stems) > 1 else frozenset[str]()
    return [
        (first, second)
        for first, second in combinations(options, 2)
        if _plain(first.title) == _plain(second.title)
        or _overlap(stems[first.id] - shared, stems[second.id] - shared) >= SAME_TITLE_OVERLAP
    ]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard index 0..1; 0 when neither has a word of its own."""
    return len(one & other) / len(one | other) if one | other else 0.0


def simple_repair(answer: Suggestions) -> Suggestions:
    """Drop repeated and incomplete options, trim to the limits, clip texts; add nothing.

    Raises:
        BadOutputError: fewer than three complete, distinct options are left.
    """
    mended = [_mended(option) for option in answer.options]
    complete = [
        option
        for option in mended
        if option.title and all(len(option.points(name)) >= MIN_POINTS for name in POINT_LISTS)
    ]
    distinct: list[SuggestedOption] = complete
    while twice := same_options(tuple(distinct)):
        distinct = [option for option in distinct if option.id != twice[0][1].id]
    kept = distinct[:MAX_OPTIONS]
    # Fewer options share more words, so what was distinct among many is checked again among the kept.
    if len(kept) < MIN_OPTIONS or same_options(tuple(kept)):
        raise BadOutputError("fewer than three complete and distinct options are left")
    lost = len(answer.options) - len(kept)
    return replace(
        answer,
        options=tuple(replace(option, id=f"option_{i}") for i, option in enumerate(kept, start=1)),
        finished_by_rule=True,
        unreadable=(),
        notes=(*answer.notes, f"simple repair finished this list: {lost} options of the draft were dropped"),
    )


def _mended(option: SuggestedOption) -> SuggestedOption:
    return replace(
        option,
        title=clipped(option.title, MAX_TITLE_CHARS),
        pros=_mended_points(option.pros),
        cons=_mended_points(option.cons),
        evidence_to_gather=_mended_points(option.evidence_to_gather),
    )


def _mended_points(points: tuple[str, ...]) -> tuple[str, ...]:
    by_meaning: dict[str, str] = {}
    for point in points:
        short = clipped(point, MAX_POINT_CHARS)
        by_meaning.setdefault(_plain(short), short)
    return tuple(by_meaning.values())[:MAX_POINTS]
