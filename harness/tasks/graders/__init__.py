"""Graders of answers that need no model: on texts, numbers, schemas, by a user's own function, plugged in."""

from harness.tasks.graders.base import grade_row, said_row
from harness.tasks.graders.marking import Marking
from harness.tasks.graders.registry import answer_graders, register_grader
from harness.tasks.grading import GRADER_FAILED, AnswerGrader, GradedAnswer, Weighing

__all__ = [
    "GRADER_FAILED",
    "AnswerGrader",
    "GradedAnswer",
    "Marking",
    "Weighing",
    "answer_graders",
    "grade_row",
    "register_grader",
    "said_row",
]
