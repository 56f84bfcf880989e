"""What a suite's graders expect, held against its cases and its task before anything is sent."""

from collections.abc import Sequence
from typing import Any

from harness.errors import ConfigError
from harness.inputs import ABSENT, LocatedYaml, missing_column, value_named
from harness.tasks.briefs import BriefCase
from harness.tasks.from_file import FileTask
from harness.tasks.graders.marking import GraderSpec, JsonSchemaSpec, Marking, NumericSpec, name_of


def check_expectations(
    marking: Marking, cases: Sequence[BriefCase], located: LocatedYaml, *, told: bool
) -> None:
    """Refuse a column that a grader compares with and a case does not have.

    Args:
        marking: the suite's.
        cases: its data set's.
        located: its file.
        told: refuse a grader that no case says anything to; else its answers stay ungraded.

    Raises:
        ConfigError: names the case's line, the column, and who asks for it; or the grader that nothing tells
            what to expect.
    """
    for place, spec in enumerate(marking.graders):
        if not _compares(spec):
            continue
        name, column = name_of(spec), getattr(spec, "column", None) or marking.expected
        for case in cases:
            if name in case.expected:
                continue
            if column is None:
                break  # the case stays ungraded, as the output will say
            value, asked = value_named(case.columns, column), located.where(("graders", place))
            if value is ABSENT or value is None or value == "":
                problem = missing_column(column, case.columns) if value is ABSENT else f"'{column}' is blank"
                raise ConfigError(case.where, f"{problem}, but grader '{name}' of {asked} expects it")
        if column is None and told and not any(name in case.expected for case in cases):
            problem = f"grader '{name}' is told nowhere what to expect: say `expected: COLUMN` in the suite"
            raise ConfigError(located.where(("graders", place)), problem)
    if marking.expected is not None and not any(_compares(spec) for spec in marking.graders):
        case = cases[0]
        if value_named(case.columns, marking.expected) is ABSENT:
            raise ConfigError(located.where(("expected",)), missing_column(marking.expected, case.columns))


def _compares(spec: GraderSpec) -> bool:
    """Whether a grader needs to be told what to expect."""
    if isinstance(spec, NumericSpec) and (spec.low is not None or spec.high is not None):
        return False
    return "expected" in type(spec).model_fields and getattr(spec, "expected", None) is None


def check_pointers(marking: Marking, task: FileTask, located: LocatedYaml) -> None:
    """Refuse a pointer that can lead nowhere in the task's answers.

    Raises:
        ConfigError: names the grader's line, and what there is instead.
    """
    for place, spec in enumerate(marking.graders):
        pointer = getattr(spec, "pointer", "")
        where = located.where(("graders", place, "pointer"))
        if pointer and task.answer == "text":
            raise ConfigError(where, f"'{pointer}' leads nowhere: the task's answer is a text, not JSON")
        problem = None if task.schema is None else _nowhere(task.schema, pointer)
        if problem is not None:
            raise ConfigError(where, problem)
        if task.answer == "text" and isinstance(spec, JsonSchemaSpec):
            raise ConfigError(where, "a text has no JSON schema: say `answer: json` in the task")
        if task.answer == "text" and isinstance(spec, NumericSpec) and spec.take is None:
            raise ConfigError(where, "the task's answer is a text: say which number of it, `take: last`")


def _nowhere(schema: Any, pointer: str) -> str | None:
    """Why nothing can stand at a pointer in what a schema allows; None where something may."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(schema, dict):
            return None
        properties = schema.get("properties")
        if isinstance(properties, dict) and key in properties:
            schema = properties[key]
        elif schema.get("type") == "array" and isinstance(schema.get("items"), dict) and key.isdigit():
            schema = schema["items"]
        elif isinstance(properties, dict) and not {"additionalProperties", "patternProperties", "$ref"} & set(
            schema
        ):
            return f"'{pointer}' leads nowhere: the schema has no '{key}' (it has: {', '.join(properties)})"
        else:
            return None
    return None
