"""A grader that holds an answer, or a part of it, to a JSON schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.evaluation.graders.base import GradedAnswer
from harness.evaluation.graders.pointer import MISSING, value_at
from harness.tasks.grading import Part

MOST_ERRORS = 3
_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSchemaGrader:
    """1 when the value at the pointer is valid (draft 2020-12), else 0 with the first errors."""

    name: str
    pointer: str
    schema: Mapping[str, Any]

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return Part(score=0.0, detail={"problem": f"nothing at '{self.pointer}'"})
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - a quarter second that few suites need
        from referencing import Registry  # noqa: PLC0415

        registry: Registry[Any] = Registry()  # an empty one: no schema is ever fetched
        validator = Draft202012Validator(self.schema, registry=registry)
        errors = sorted(validator.iter_errors(found), key=lambda error: list(map(str, error.absolute_path)))
        said = [f"{error.json_path}: {error.message}"[:_SHOWN_CHARS] for error in errors[:MOST_ERRORS]]
        return Part(score=float(not errors), detail={"errors": said, "error_count": len(errors)})


def schema_problem(schema: Any) -> str | None:
    """What is wrong with a schema itself, in a clause; None for a good one."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - as above
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    if any(not reference.startswith("#") for reference in _references(schema)):
        return "a $ref may only point into the schema itself (#/...)"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"not a JSON schema ({error.message[:_SHOWN_CHARS]})"
    return None


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
