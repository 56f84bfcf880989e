"""A grader that holds an answer, or a part of it, to a JSON schema."""

from dataclasses import dataclass

from harness.tasks.graders.pointer import MISSING, value_at
from harness.tasks.grading import GradedAnswer, Part
from harness.tasks.schemacheck import MOST_ERRORS, SchemaChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaGrader:
    """1 when the value at the pointer is valid (draft 2020-12), else 0 with the first errors."""

    name: str
    pointer: str
    checker: SchemaChecker

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return Part(score=0.0, detail={"problem": f"nothing at '{self.pointer}'"})
        errors = self.checker.errors(found)
        detail = {"errors": errors[:MOST_ERRORS], "error_count": len(errors)}
        return Part(score=float(not errors), detail=detail)
