"""Checkers: what decides that a first answer will do, and how often it is wrong."""

from dataclasses import dataclass

import numpy as np

from harness.records.kinds import HIGH_TIER_MIN_SCORE
from harness.strategies.cells import Column, Source


@dataclass(frozen=True, slots=True)
class PerfectChecker:
    """Knows the grade itself: no real checker does better, so what it gives is a bound."""

    below_score: float = HIGH_TIER_MIN_SCORE

    @property
    def name(self) -> str:
        """For people."""
        return "a perfect checker (a bound)"

    def accepts(self, answers: Source) -> Column:
        """1 where it lets an answer pass, 0 where not; not a number where nobody graded it."""
        passed = (answers.score >= self.below_score).astype(np.float64)
        return np.where(answers.ok, np.where(np.isnan(answers.score), np.nan, passed), 0.0)


@dataclass(frozen=True, slots=True)
class ValidatorChecker:
    """The task's own rules: a draft that broke none is accepted."""

    @property
    def name(self) -> str:
        """For people."""
        return "the validator"

    def accepts(self, answers: Source) -> Column:
        """1 where the draft broke no rule."""
        return (answers.ok & ~answers.repaired).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ScoreChecker:
    """The task's own rules and its recorded score: what a cascade's `escalate_below_score` looks at."""

    below_score: float

    @property
    def name(self) -> str:
        """For people."""
        return f"the task's score >= {self.below_score:g}"

    def accepts(self, answers: Source) -> Column:
        """1 where the draft broke no rule and scored enough; not a number where nobody graded it."""
        passed = (answers.score >= self.below_score).astype(np.float64)
        return _unless_broken(answers, np.where(np.isnan(answers.score), np.nan, passed))


@dataclass(frozen=True, slots=True)
class ConfidenceChecker:
    """The recorded confidence of the answer, with a threshold; a draft that broke a rule never passes."""

    threshold: float

    @property
    def name(self) -> str:
        """For people."""
        return f"confidence >= {self.threshold:g}"

    def accepts(self, answers: Source) -> Column:
        """1 at or above the threshold; not a number where no confidence was recorded."""
        passed = (answers.confidence >= self.threshold).astype(np.float64)
        return _unless_broken(answers, np.where(np.isnan(answers.confidence), np.nan, passed))


@dataclass(frozen=True, slots=True)
class StatedChecker:
    """A checker that is known by its error rates alone.

    Attributes:
        sensitivity: share of the answers below the high tier that it catches.
        specificity: share of the high-tier answers that it lets pass.
    """

    sensitivity: float
    specificity: float

    @property
    def name(self) -> str:
        """For people."""
        return f"a checker of {self.sensitivity:.0%} catches and {self.specificity:.0%} passes"

    def accepts(self, answers: Source) -> Column:
        """The chance that it lets each answer pass; not a number where nobody graded it."""
        chance = np.where(answers.high > 0, self.specificity, 1.0 - self.sensitivity)
        return np.where(answers.ok, np.where(np.isnan(answers.high), np.nan, chance), 0.0)


def _unless_broken(answers: Source, passed: Column) -> Column:
    return np.where(answers.ok & ~answers.repaired, passed, 0.0)


Checker = PerfectChecker | ValidatorChecker | ScoreChecker | ConfidenceChecker | StatedChecker
