"""A grader that fails leaves the answer ungraded: never 0, and never a lost answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.records import Prompt, ScoreBasis
from harness.tasks.base import Labels, QualityScore, Task, Violation, event_stem
from harness.tasks.briefs import BriefCase
from harness.tasks.from_file import task_of
from harness.tasks.grading import GRADER_FAILED


class GuardedTask:
    """A task whose grader may fail, for one question; everything else is the task's own.

    Args:
        task: the task.
    """

    def __init__(self, task: Task[Any, Any]) -> None:
        self.name = task.name
        self.draft_role = task.draft_role
        self.repair_override = task.repair_override
        self.event_stem = event_stem(task)
        self._task = task
        self._prompt: Prompt | None = None

    def of(self, case: BriefCase) -> "GuardedTask":
        """The task for one unit of a case; its first question is put together once."""
        return GuardedTask(task_of(self._task, case))

    def grade(self, answer: Any, task_input: Any, labels: Labels | None = None) -> QualityScore:
        """The task's score, or one that says the grader failed (see `is_graded`)."""
        try:
            return self._task.grade(answer, task_input, labels)
        except Exception as error:  # noqa: BLE001 - graders are plug-ins: whatever one raises, the answer was paid for
            basis = ScoreBasis.EXTRACTED if labels is None else ScoreBasis.LABELLED
            said = f"{type(error).__name__}: {error}"[:300]
            return QualityScore(score=0.0, basis=basis, detail={GRADER_FAILED: said})

    def parse_input(self, body: Mapping[str, Any]) -> Any:
        """See `Task.parse_input`."""
        return self._task.parse_input(body)

    def draft_prompt(self, task_input: Any) -> Prompt:
        """See `Task.draft_prompt`."""
        if self._prompt is None:
            self._prompt = self._task.draft_prompt(task_input)
        return self._prompt

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
    return GRADER_FAILED not in quality.detail
