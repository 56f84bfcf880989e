"""Graders that a suite adds to a task's own score: on texts, numbers, JSON schemas, or plugged in."""

from harness.evaluation.graders.base import GRADER_FAILED, AnswerGrader, GradedAnswer, grade_row
from harness.evaluation.graders.marking import Marking
from harness.evaluation.graders.registry import answer_graders, register_grader

__all__ = [
    "GRADER_FAILED",
    "AnswerGrader",
    "GradedAnswer",
    "Marking",
    "answer_graders",
    "grade_row",
    "register_grader",
]
