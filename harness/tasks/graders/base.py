"""The row of one grader and answer."""

from harness.records import Grade
from harness.tasks.base import Said
from harness.tasks.grading import AnswerGrader, GradedAnswer, Weighing, said_of


def grade_row(
    grader: AnswerGrader,
    answer: GradedAnswer,
    *,
    run_id: str,
    request_id: str,
    weighing: Weighing | None = None,
) -> Grade:
    """The row of one grader and answer; one that fails leaves no score."""
    return said_row(said_of(grader, answer, weighing or Weighing()), run_id=run_id, request_id=request_id)


def said_row(said: Said, *, run_id: str, request_id: str) -> Grade:
    """What a grader said, as recorded."""
    return Grade(
        run_id=run_id,
        request_id=request_id,
        grader=said.grader,
        score=said.score,
        passed=said.passed,
        detail=said.detail,
    )
