"""The second built-in task: a goal and its constraints become three to five distinct options."""

from harness.tasks.decisions.suggest_options.answer import SuggestedOption, Suggestions
from harness.tasks.decisions.suggest_options.grade import GRADERS, WEIGHTS, grade
from harness.tasks.decisions.suggest_options.prompts import SuggestOptionsInput
from harness.tasks.decisions.suggest_options.rules import VIOLATION_CODES
from harness.tasks.decisions.suggest_options.schema import ANSWER_SCHEMA, SuggestOptionsPayload
from harness.tasks.decisions.suggest_options.task import SuggestOptionsTask

__all__ = [
    "ANSWER_SCHEMA",
    "GRADERS",
    "VIOLATION_CODES",
    "WEIGHTS",
    "SuggestOptionsInput",
    "SuggestOptionsPayload",
    "SuggestOptionsTask",
    "SuggestedOption",
    "Suggestions",
    "grade",
]
