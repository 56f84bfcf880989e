"""Graders of a task's own quality score: one function each, a part 0..1, and their weights.

A grader looks at one answer and gives a `Part`. A part that cannot be known (nothing to look for) is None,
never 0 or 1: the other graders share its weight in proportion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from harness.records import ScoreBasis
from harness.tasks.base import QualityScore, Violation

SubjectT = TypeVar("SubjectT")

BROKEN_RULE_COST = 0.5
"""What each different broken rule takes from a schema grade: an answer that breaks any is never high."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one grader says: a score 0..1 or None, and what it saw."""

    score: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)


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


def schema_part(violations: tuple[Violation, ...]) -> Part:
    """1 for a valid answer; each different rule broken costs half, however often it is broken."""
    codes = sorted({violation.code for violation in violations})
    return Part(score=max(0.0, 1 - BROKEN_RULE_COST * len(codes)), detail={"violations": codes})
