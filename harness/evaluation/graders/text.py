"""Graders of texts and numbers in an answer: exact, by regular expression, and within a tolerance.

A wrong or missing value scores 0: that is the answer's fault. A case that says nothing of what is expected
leaves the answer ungraded: that is not.
"""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.errors import BadOutputError
from harness.evaluation.graders.base import GradedAnswer
from harness.evaluation.graders.pointer import MISSING, text_of, value_at
from harness.tasks.grading import Part

MAX_TEXT_CHARS = 100_000
_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactGrader:
    """1 when the value at the pointer is the expected one; texts without outer blanks.

    Attributes:
        expected: None takes the case's own value under the grader's name.
    """

    name: str
    pointer: str
    expected: Any | None
    ignore_case: bool

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        wanted = _expected(self.name, self.expected, answer)
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return _nothing(self.pointer)
        return Part(score=float(self._same(found, wanted)), detail={"found": _shown(found)})

    def _same(self, found: Any, wanted: Any) -> bool:
        if isinstance(found, str) and isinstance(wanted, str):
            texts = (found.strip(), wanted.strip())
            return len({text.casefold() for text in texts} if self.ignore_case else set(texts)) == 1
        if isinstance(found, bool) or isinstance(wanted, bool):
            return found is wanted
        return bool(found == wanted)


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
        expected: None takes the case's own, unless there are bounds.
        tolerance: absolute, >= 0.
    """

    name: str
    pointer: str
    expected: Decimal | None
    tolerance: Decimal
    low: Decimal | None
    high: Decimal | None

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        low, high = self.low, self.high
        if low is None and high is None:
            wanted = _number(_expected(self.name, self.expected, answer))
            if wanted is None:
                raise BadOutputError(f"the case's expected '{self.name}' is not a number")
            low, high = wanted - self.tolerance, wanted + self.tolerance
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return _nothing(self.pointer)
        number = _number(found)
        if number is None:
            return Part(score=0.0, detail={"found": _shown(found), "problem": "not a number"})
        within = (low is None or number >= low) and (high is None or number <= high)
        return Part(score=float(within), detail={"found": _shown(found)})


def _expected(name: str, given: Any | None, answer: GradedAnswer) -> Any:
    if given is not None:
        return given
    if name not in answer.case.expected:
        raise BadOutputError(f"case '{answer.case.case_id}' expects nothing under '{name}'")
    return answer.case.expected[name]


def _number(value: Any) -> Decimal | None:
    """A finite number as it was written; None for anything else, a text that reads as one included."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Decimal(str(value)) if math.isfinite(value) else None


def _nothing(pointer: str) -> Part:
    return Part(score=0.0, detail={"problem": f"nothing at '{pointer}'"})


def _shown(value: Any) -> str:
    return text_of(value)[:_SHOWN_CHARS]
