"""What a grader of answers is: one answer in, a score 0..1 or None out; a failing one leaves no score."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.errors import BadOutputError
from harness.records import HIGH_TIER_MIN_SCORE, Grade
from harness.tasks.briefs import BriefCase
from harness.tasks.grading import Part

GRADER_FAILED = "grader_failed"
"""Key of a grade's detail that says why there is no score."""
MAX_WHY_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAnswer:
    """An answer as its reader gets it: the task's public JSON, without tier and score.

    Attributes:
        task: the task's name.
        case: what was asked, with its labels and expected values.
        payload: the answer.
    """

    task: str
    case: BriefCase
    payload: Mapping[str, Any] = field(hash=False)


class AnswerGrader(Protocol):
    """One grader. Plugged in under the entry point `harness.graders`, or by `register_grader`.

    Attributes:
        name: as recorded in `grades.grader`; unique within a suite.
    """

    @property
    def name(self) -> str:
        """See the class."""
        ...

    def grade(self, answer: GradedAnswer) -> Part:
        """The score and what was seen; a score of None says that it cannot be known.

        Raises:
            Exception: whatever it raises, the answer is ungraded by it, never 0.
        """
        ...


def grade_row(grader: AnswerGrader, answer: GradedAnswer, *, run_id: str, request_id: str) -> Grade:
    """The row of one grader and answer; `passed` is a score in the high tier."""
    try:
        part = _checked(grader.grade(answer))
    except Exception as error:  # noqa: BLE001 - graders are plug-ins: whatever one raises, the answer was paid for
        kind = "" if isinstance(error, BadOutputError) else f"{type(error).__name__}: "
        part = Part(score=None, detail={GRADER_FAILED: f"{kind}{error}"[:MAX_WHY_CHARS]})
    return Grade(
        run_id=run_id,
        request_id=request_id,
        grader=grader.name,
        score=part.score,
        passed=None if part.score is None else part.score >= HIGH_TIER_MIN_SCORE,
        detail=part.detail,
    )


def _checked(part: Part) -> Part:
    if part.score is not None and not 0.0 <= part.score <= 1.0:
        raise ValueError(f"a score of {part.score}, which is not in 0..1")
    return part
