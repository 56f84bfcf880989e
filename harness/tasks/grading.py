"""Graders: one function each, a part 0..1, and how parts make a quality score.

A grader looks at one answer and gives a `Part`. A part that cannot be known (nothing to look for) is None,
never 0 or 1: the other graders share its weight in proportion. A task's own graders look at its own objects;
an `AnswerGrader` looks at any task's answer as its reader gets it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from harness.errors import BadOutputError
from harness.records import HIGH_TIER_MIN_SCORE, ScoreBasis
from harness.tasks.base import QualityScore, Said, Violation
from harness.tasks.briefs import BriefCase

SubjectT = TypeVar("SubjectT")

GRADER_FAILED = "grader_failed"
"""Key of a score's or grade's detail that says why there is none; the number beside it means nothing."""
MAX_WHY_CHARS = 300
BROKEN_RULE_COST = 0.5
"""What each different broken rule takes from a schema grade: an answer that breaks any is never high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one grader says: a score 0..1 or None, and what it saw."""

    score: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedAnswer:
    """An answer as its reader gets it: the task's public JSON or text, without tier and score.

    Attributes:
        task: the task's name.
        case: what was asked, with its labels and expected values.
        payload: the answer.
    """

    task: str
    case: BriefCase
    payload: Any = field(hash=False)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What a grader counts for.

    Attributes:
        weight: its share of the score, beside the others'; 0 records it only.
        threshold: the score from which it has passed.
        must_pass: where it has not passed, the whole score is 0.
    """

    weight: float = 1.0
    threshold: float = HIGH_TIER_MIN_SCORE
    must_pass: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grader(Generic[SubjectT]):
    """A named part of a quality score. The weights of a task's graders sum to 1."""

    name: str
    weight: float
    grade: Callable[[SubjectT], Part]


def weighted_score(
    graders: tuple[Grader[SubjectT], ...], subject: SubjectT, basis: ScoreBasis
) -> QualityScore:
    """The weighted mean of the known parts.

    Args:
        graders: at least one of which always knows its part.
        subject: what they look at.
        basis: what coverage is measured against.
    """
    said = {grader.name: grader.grade(subject) for grader in graders}
    known = {name: part.score for name, part in said.items() if part.score is not None}
    weights = {grader.name: grader.weight for grader in graders if grader.name in known}
    total = sum(weights[name] * score for name, score in known.items())
    return QualityScore(
        score=round(total / sum(weights.values()), 6),
        basis=basis,
        parts=known,
        detail={key: value for part in said.values() for key, value in part.detail.items()},
    )


def said_of(grader: AnswerGrader, answer: GradedAnswer, weighing: Weighing) -> Said:
    """What one grader says of an answer; one that fails leaves it ungraded, never 0."""
    try:
        part = _checked(grader.grade(answer))
    except Exception as error:  # noqa: BLE001 - graders are plug-ins: whatever one raises, the answer was paid for
        kind = "" if isinstance(error, BadOutputError) else f"{type(error).__name__}: "
        part = Part(score=None, detail={GRADER_FAILED: f"{kind}{error}"[:MAX_WHY_CHARS]})
    passed = None if part.score is None else part.score >= weighing.threshold
    return Said(grader=grader.name, score=part.score, passed=passed, detail=part.detail)


def _checked(part: Part) -> Part:
    if part.score is not None and not 0.0 <= part.score <= 1.0:
        raise ValueError(f"a score of {part.score}, which is not in 0..1")
    return part


def weigh(
    graders: Sequence[tuple[AnswerGrader, Weighing]], answer: GradedAnswer, basis: ScoreBasis
) -> QualityScore:
    """The score that a suite's graders make of an answer: the weighted mean of those that know theirs.

    Args:
        graders: each with what it counts for.
        answer: what they look at.
        basis: as recorded.

    Returns:
        The score, 0 where a grader that must pass has not; marked as ungraded where none that counts could
        say anything, or one that must pass could not.
    """
    said = [(said_of(grader, answer, weighing), weighing) for grader, weighing in graders]
    known = [(one.score, how.weight) for one, how in said if one.score is not None and how.weight > 0]
    must = [one.passed for one, how in said if how.must_pass]
    rows = tuple(one for one, _ in said)
    if not known or None in must:
        why = next((str(one.detail.get(GRADER_FAILED, "")) for one in rows if one.score is None), "")
        said_why = why or "the suite has no grader that needs no model"
        return QualityScore(score=0.0, basis=basis, detail={GRADER_FAILED: said_why}, said=rows)
    total = sum(weight for _, weight in known)
    score = 0.0 if False in must else round(sum(s * w for s, w in known) / total, 6)
    return QualityScore(score=score, basis=basis, said=rows)


def schema_part(violations: tuple[Violation, ...]) -> Part:
    """1 for a valid answer; each different rule broken costs half, however often it is broken."""
    codes = sorted({violation.code for violation in violations})
    return Part(score=max(0.0, 1 - BROKEN_RULE_COST * len(codes)), detail={"violations": codes})
