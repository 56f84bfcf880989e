"""`suggest_options`: a goal and its constraints become three to five distinct options."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import UsageError
from harness.records import Prompt, Role
from harness.tasks.base import Labels, QualityScore, Violation
from harness.tasks.bodies import validated_body
from harness.tasks.confidence import clarifier_status
from harness.tasks.decisions.suggest_options.answer import Suggestions, parse_suggestions
from harness.tasks.decisions.suggest_options.grade import grade
from harness.tasks.decisions.suggest_options.prompts import (
    SuggestOptionsInput,
    constraint_lines,
    suggest_prompt,
)
from harness.tasks.decisions.suggest_options.rules import simple_repair, violations_of
from harness.tasks.decisions.suggest_options.schema import MAX_CONSTRAINTS, SuggestOptionsBody

MAX_CONSTRAINTS_CHARS = 5000


class SuggestOptionsTask:
    """The second built-in task; see `harness.tasks.base.Task` for what each method promises.

    It has no repair call: a broken list is trimmed by rule, or the request fails.
    """

    name = "suggest_options"
    draft_role = Role.SUGGEST
    repair_override: str | None = None

    def parse_input(self, body: Mapping[str, Any]) -> SuggestOptionsInput:
        """The request, checked; raises `UsageError` naming the wrong field."""
        read = validated_body(SuggestOptionsBody, body)
        if not read.goal.strip():
            raise UsageError("goal: must not be blank")
        lines = constraint_lines(read.constraints)
        if len(lines) > MAX_CONSTRAINTS or sum(map(len, lines)) > MAX_CONSTRAINTS_CHARS:
            limits = f"at most {MAX_CONSTRAINTS} lines and {MAX_CONSTRAINTS_CHARS} characters in all"
            raise UsageError(f"constraints: {limits}")
        return SuggestOptionsInput(goal=read.goal, constraints=lines)

    def draft_prompt(self, task_input: SuggestOptionsInput) -> Prompt:
        """The question."""
        return suggest_prompt(task_input)

    def parse(self, text: str) -> Suggestions:
        """The answer, read; raises `BadOutputError` when there are no options in it."""
        return parse_suggestions(text)

    def validate(self, answer: Suggestions) -> Sequence[Violation]:
        """Every broken rule."""
        return violations_of(answer)

    def repair_prompt(
        self,
        task_input: SuggestOptionsInput,
        answer: Suggestions | None,  # noqa: ARG002 - the protocol's signature; asking anew needs no old answer
        violations: Sequence[Violation],  # noqa: ARG002
    ) -> Prompt:
        """The same question again: there is no repair route for this task."""
        return suggest_prompt(task_input)

    def simple_repair(self, answer: Suggestions) -> Suggestions:
        """The deterministic repair; raises `BadOutputError` when fewer than three options are left."""
        return simple_repair(answer)

    def grade(
        self, answer: Suggestions, task_input: SuggestOptionsInput, labels: Labels | None = None
    ) -> QualityScore:
        """The quality score."""
        return grade(answer, task_input, labels)

    def confidence(self, answer: Suggestions) -> float | None:
        """The model's own confidence."""
        return answer.confidence

    def payload(self, answer: Suggestions) -> dict[str, Any]:
        """The public answer; `issues` only when there are some."""
        return {
            "options": [
                {
                    "id": option.id,
                    "title": option.title,
                    "pros": list(option.pros),
                    "cons": list(option.cons),
                    "evidence_to_gather": list(option.evidence_to_gather),
                }
                for option in answer.options
            ],
            **({"issues": list(answer.notes)} if answer.notes else {}),
            "confidence": answer.confidence,
            "clarifier_status": clarifier_status(answer.confidence, finished_by_rule=answer.finished_by_rule),
        }
