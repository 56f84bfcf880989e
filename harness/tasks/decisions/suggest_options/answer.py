"""Suggested options in memory, read from a model's text: tolerant of form, bounded, never trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import BadOutputError
from harness.tasks.confidence import read_confidence
from harness.tasks.jsonobject import find_json_object
from harness.tasks.plaintext import clean_text

MIN_OPTIONS = 3
MAX_OPTIONS = 5
MIN_POINTS = 2
MAX_POINTS = 3
MAX_TITLE_CHARS = 120
MAX_POINT_CHARS = 200

MAX_READ_OPTIONS = 50
MAX_READ_CHARS = 4000

POINT_LISTS = ("pros", "cons", "evidence_to_gather")
"""The three lists of every option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedOption:
    """One option with what speaks for it, against it, and what to find out."""

    id: str
    title: str
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    evidence_to_gather: tuple[str, ...]

    def points(self, name: str) -> tuple[str, ...]:
        """One of the three lists by its name."""
        lists = {"pros": self.pros, "cons": self.cons, "evidence_to_gather": self.evidence_to_gather}
        return lists[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """A model's answer: options in its own order, ids `option_1`, `option_2`, ...

    Attributes:
        options: valid or not.
        finished_by_rule: the deterministic repair had the last word.
        confidence: the model's own, 0..1, or None; never computed.
        unreadable: what could not be read, one clause each.
        notes: what a reader should know about how the answer came to be.
    """

    options: tuple[SuggestedOption, ...]
    confidence: float | None = None
    finished_by_rule: bool = False
    unreadable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def parse_suggestions(text: str) -> Suggestions:
    """The options in a model's text, with stable ids.

    Raises:
        BadOutputError: no JSON object with a list of options in it.
    """
    found = find_json_object(text, wanted=("options",))
    items = found["options"]
    if not isinstance(items, list):
        raise BadOutputError("the answer's options are not a list")
    unreadable = (
        [] if len(items) <= MAX_READ_OPTIONS else [f"{len(items)} options, {MAX_READ_OPTIONS} were read"]
    )
    options: list[SuggestedOption] = []
    for item in items[:MAX_READ_OPTIONS]:
        if isinstance(item, Mapping):
            options.append(_option(item, len(options) + 1, unreadable))
        else:
            unreadable.append("an option is not an object")
    confidence, notes = read_confidence(found.get("confidence"))
    return Suggestions(
        options=tuple(options), confidence=confidence, unreadable=tuple(unreadable), notes=notes
    )


def _option(item: Mapping[str, Any], number: int, unreadable: list[str]) -> SuggestedOption:
    lists = {name: _points(item, name, unreadable) for name in POINT_LISTS}
    return SuggestedOption(
        id=f"option_{number}",
        title=_text(item.get("title"), "a title", unreadable),
        pros=lists["pros"],
        cons=lists["cons"],
        evidence_to_gather=lists["evidence_to_gather"],
    )


def _points(item: Mapping[str, Any], name: str, unreadable: list[str]) -> tuple[str, ...]:
    points = item.get(name)
    if points is None:
        return ()
    if not isinstance(points, list):
        unreadable.append(f"{name} is not a list")
        return ()
    texts = (_text(point, f"an entry of {name}", unreadable) for point in points[:MAX_READ_OPTIONS])
    return tuple(text for text in texts if text)


def _text(value: Any, what: str, unreadable: list[str]) -> str:
    if isinstance(value, str):
        return clean_text(value[:MAX_READ_CHARS])
    if value is not None:
        unreadable.append(f"{what} is not text")
    return ""
