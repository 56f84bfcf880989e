"""Graders of texts and numbers in an answer: exact, by content, by regular expression, within a tolerance.

A wrong or missing value scores 0: that is the answer's fault. A case that says nothing of what is expected
leaves the answer ungraded: that is not.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from harness.errors import BadOutputError
from harness.tasks.graders.expected import Expectation
from harness.tasks.graders.pointer import MISSING, text_of, value_at
from harness.tasks.grading import GradedAnswer, Part

MAX_TEXT_CHARS = 100_000
_SHOWN_CHARS = 200
_NUMBER = re.compile(r"(?<![\w.])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactGrader:
    """1 when the value at the pointer is the expected one; texts without outer blanks.

    A text may also be one of several expected ones. A column of a CSV is text: a number, true or false in the
    answer equals it as JSON writes them.
    """

    name: str
    pointer: str
    expected: Expectation
    ignore_case: bool

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        wanted = self.expected.of(answer)
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return _nothing(self.pointer)
        return Part(score=float(self._same(found, wanted)), detail={"found": _shown(found)})

    def _same(self, found: Any, wanted: Any) -> bool:
        if isinstance(found, str) and isinstance(wanted, str):
            texts = (found.strip(), wanted.strip())
            return len({text.casefold() for text in texts} if self.ignore_case else set(texts)) == 1
        if isinstance(found, str) and isinstance(wanted, list):
            return any(self._same(found, one) for one in wanted if isinstance(one, str))
        if self.expected.column is not None and isinstance(wanted, str) and isinstance(found, int | float):
            return text_of(found) == wanted.strip()
        if isinstance(found, bool) or isinstance(wanted, bool):
            return found is wanted
        return bool(found == wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsGrader:
    """1 when every expected text occurs in the text at the pointer (its first 100,000 characters).

    Attributes:
        any_one: 1 when one of them does.
    """

    name: str
    pointer: str
    expected: Expectation
    any_one: bool
    ignore_case: bool

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        wanted = self.expected.of(answer)
        texts = [text_of(one).strip() for one in (wanted if isinstance(wanted, list) else [wanted])]
        if not texts or not all(texts):
            raise BadOutputError(f"the case's expected '{self.name}' is blank")
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return _nothing(self.pointer)
        said = self._folded(text_of(found)[:MAX_TEXT_CHARS])
        missing = [text for text in texts if self._folded(text) not in said]
        met = len(missing) < len(texts) if self.any_one else not missing
        return Part(score=float(met), detail={"missing": [text[:_SHOWN_CHARS] for text in missing]})

    def _folded(self, text: str) -> str:
        return text.casefold() if self.ignore_case else text


@dataclass(frozen=True, slots=True, kw_only=True)
class RegexGrader:
    """1 when the pattern occurs in the text at the pointer (its first 100,000 characters).

    Attributes:
        forbidden: 1 when it does not occur.
    """

    name: str
    pointer: str
    pattern: re.Pattern[str]
    forbidden: bool

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return _nothing(self.pointer)
        match = self.pattern.search(text_of(found)[:MAX_TEXT_CHARS])
        detail = {"matched": None if match is None else match.group()[:_SHOWN_CHARS]}
        return Part(score=float((match is None) is self.forbidden), detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericGrader:
    """1 when the number at the pointer is within the tolerance of the expected one, or within bounds.

    Attributes:
        expected: counts where there are no bounds.
        tolerance: absolute, >= 0.
        take: which number of a text is meant; None takes no text for a number.
    """

    name: str
    pointer: str
    expected: Expectation
    tolerance: Decimal
    take: Literal["first", "last"] | None
    low: Decimal | None
    high: Decimal | None

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        low, high = self.low, self.high
        if low is None and high is None:
            wanted = _expected_number(self.expected.of(answer))
            if wanted is None:
                raise BadOutputError(f"the case's expected '{self.name}' is not a number")
            low, high = wanted - self.tolerance, wanted + self.tolerance
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return _nothing(self.pointer)
        number = _number_in(found, self.take) if self.take and isinstance(found, str) else _number(found)
        if number is None:
            return Part(score=0.0, detail={"found": _shown(found), "problem": "not a number"})
        within = (low is None or number >= low) and (high is None or number <= high)
        return Part(score=float(within), detail={"found": _shown(found)})


def _expected_number(value: Any) -> Decimal | None:
    """An expected number; a column of a CSV holds it as text."""
    if not isinstance(value, str):
        return _number(value)
    return _read_number(value) if _NUMBER.fullmatch(value.strip(" $%\N{EURO SIGN}\N{POUND SIGN}")) else None


def _number_in(text: str, take: Literal["first", "last"]) -> Decimal | None:
    """The first or last number in a text, with or without commas in it; None for a text without one."""
    found = _NUMBER.findall(text[:MAX_TEXT_CHARS])
    return _read_number(found[0 if take == "first" else -1]) if found else None


def _read_number(text: str) -> Decimal:
    return Decimal(text.strip(" $%\N{EURO SIGN}\N{POUND SIGN}").replace(",", ""))


def _number(value: Any) -> Decimal | None:
    """A finite number as it was written; None for anything else, a text that reads as one included."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value)) if math.isfinite(value) else None


def _nothing(pointer: str) -> Part:
    return Part(score=0.0, detail={"problem": f"nothing at '{pointer}'"})


def _shown(value: Any) -> str:
    return text_of(value)[:_SHOWN_CHARS]
