"""A grader that fails leaves the answer ungraded: never 0, and never a lost answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import Prompt, ScoreBasis
from harness.tasks.base import Labels, QualityScore, Task, Violation

UNGRADED = "grader_failed"
"""Key of a score's detail that says there is none; the score's number then means nothing."""


class GuardedTask:
    """A task whose grader may fail; everything else is the task's own.

    Args:
        task: the task.
    """

    def __init__(self, task: Task[Any, Any]) -> None:
        self.name = task.name
        self.draft_role = task.draft_role
        self.repair_override = task.repair_override
        self._task = task

    def grade(self, answer: Any, task_input: Any, labels: Labels | None = None) -> QualityScore:
        """The task's score, or one that says the grader failed (see `is_graded`)."""
        try:
            return self._task.grade(answer, task_input, labels)
        except Exception as error:  # noqa: BLE001 - graders are plug-ins: whatever one raises, the answer was paid for
            basis = ScoreBasis.EXTRACTED if labels is None else ScoreBasis.LABELLED
            said = f"{type(error).__name__}: {error}"[:300]
            return QualityScore(score=0.0, basis=basis, detail={UNGRADED: said})

    def parse_input(self, body: Mapping[str, Any]) -> Any:
        """See `Task.parse_input`."""
        return self._task.parse_input(body)

    def draft_prompt(self, task_input: Any) -> Prompt:
        """See `Task.draft_prompt`."""
        return self._task.draft_prompt(task_input)

    def parse(self, text: str) -> Any:
        """See `Task.parse`."""
        return self._task.parse(text)

    def validate(self, answer: Any) -> Sequence[Violation]:
        """See `Task.validate`."""
        return self._task.validate(answer)

    def repair_prompt(self, task_input: Any, answer: Any, violations: Sequence[Violation]) -> Prompt:
        """See `Task.repair_prompt`."""
        return self._task.repair_prompt(task_input, answer, violations)

    def simple_repair(self, answer: Any) -> Any:
        """See `Task.simple_repair`."""
        return self._task.simple_repair(answer)

    def confidence(self, answer: Any) -> float | None:
        """See `Task.confidence`."""
        return self._task.confidence(answer)

    def payload(self, answer: Any) -> dict[str, Any]:
        """See `Task.payload`."""
        return self._task.payload(answer)


def is_graded(quality: QualityScore) -> bool:
    """False for the score of a grader that failed."""
    return UNGRADED not in quality.detail
