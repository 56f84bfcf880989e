"""Plugged-in graders by name, and the graders that a suite's specs describe."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from harness.errors import ConfigError
from harness.plugins import Plugins
from harness.tasks.graders.expected import Expectation
from harness.tasks.graders.function import function_grader
from harness.tasks.graders.likeness import LikenessGrader
from harness.tasks.graders.marking import (
    AnswerGraderSpec,
    ContainsSpec,
    ExactSpec,
    FunctionSpec,
    JsonSchemaSpec,
    Marking,
    NumericSpec,
    PluginSpec,
    RegexSpec,
    RubricSpec,
    SimilaritySpec,
    name_of,
)
from harness.tasks.graders.schema import JsonSchemaGrader
from harness.tasks.graders.text import ContainsGrader, ExactGrader, NumericGrader, RegexGrader
from harness.tasks.grading import AnswerGrader, Weighing
from harness.tasks.schemacheck import SchemaChecker

_PLUGGED: Plugins[Callable[[], AnswerGrader]] = Plugins("grader", "harness.graders")
register_grader = _PLUGGED.register


def answer_graders(
    marking: Marking, folder: Path, where: Callable[[int], str]
) -> tuple[tuple[AnswerGrader, Weighing], ...]:
    """The graders that need no model, in order, each with what it counts for; rubrics are left to the judges.

    Args:
        marking: the suite's.
        folder: the suite's, which paths are relative to.
        where: the n-th grader's place, for the sentence.

    Raises:
        ConfigError: no such plug-in, file or function, or one that records under another's name.
    """
    found: list[tuple[AnswerGrader, Weighing]] = []
    taken: set[str] = {name_of(spec) for spec in marking.rubrics}
    for place, spec in enumerate(marking.graders):
        if isinstance(spec, RubricSpec):
            continue
        grader = _built(spec, marking.expected, folder, where(place))
        if grader.name in taken:
            raise ConfigError(where(place), f"two graders record under the name '{grader.name}'")
        taken.add(grader.name)
        found.append((grader, spec.weighing))
    return tuple(found)


def _built(spec: AnswerGraderSpec, column: str | None, folder: Path, source: str) -> AnswerGrader:
    name = name_of(spec)
    match spec:
        case PluginSpec():
            return _PLUGGED.find(spec.name, source=f"{source}: 'graders'")()
        case FunctionSpec():
            return function_grader(spec.path, folder, spec.name, source)
        case RegexSpec():
            pattern = re.compile(spec.pattern, re.IGNORECASE if spec.ignore_case else 0)
            return RegexGrader(name=name, pointer=spec.pointer, pattern=pattern, forbidden=spec.forbidden)
        case JsonSchemaSpec():
            return JsonSchemaGrader(name=name, pointer=spec.pointer, checker=SchemaChecker(spec.json_schema))
        case ExactSpec() | ContainsSpec() | SimilaritySpec() | NumericSpec():
            expected = Expectation(grader=name, given=spec.expected, column=spec.column or column)
            return _comparing(spec, name, expected)
        case _:
            assert_never(spec)


def _comparing(
    spec: ExactSpec | ContainsSpec | SimilaritySpec | NumericSpec, name: str, expected: Expectation
) -> AnswerGrader:
    match spec:
        case ExactSpec():
            return ExactGrader(
                name=name, pointer=spec.pointer, expected=expected, ignore_case=spec.ignore_case
            )
        case ContainsSpec():
            return ContainsGrader(
                name=name,
                pointer=spec.pointer,
                expected=expected,
                any_one=spec.any,
                ignore_case=spec.ignore_case,
            )
        case SimilaritySpec():
            return LikenessGrader(
                name=name,
                pointer=spec.pointer,
                expected=expected,
                measure=spec.kind,
                enough=spec.enough,
            )
        case NumericSpec():
            return NumericGrader(
                name=name,
                pointer=spec.pointer,
                expected=expected,
                tolerance=spec.tolerance,
                low=spec.low,
                high=spec.high,
                take=spec.take,
            )
        case _:
            assert_never(spec)
