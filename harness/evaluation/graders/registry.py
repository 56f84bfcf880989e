"""Plugged-in graders by name, and the graders that a suite's specs describe."""

import re
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import assert_never

from harness.errors import ConfigError, UsageError
from harness.evaluation.graders.base import AnswerGrader
from harness.evaluation.graders.marking import (
    ExactSpec,
    GraderSpec,
    JsonSchemaSpec,
    NumericSpec,
    RegexSpec,
    RubricSpec,
)
from harness.evaluation.graders.schema import JsonSchemaGrader
from harness.evaluation.graders.text import ExactGrader, NumericGrader, RegexGrader

ENTRY_POINT_GROUP = "harness.graders"

_registered: dict[str, Callable[[], AnswerGrader]] = {}


def register_grader(name: str, factory: Callable[[], AnswerGrader]) -> None:
    """Make a grader known in this process, without an entry point (tests, notebooks, embedding programs)."""
    _registered[name] = factory


def grader_names() -> list[str]:
    """Every plugged-in grader, sorted."""
    return sorted({*_registered, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def answer_graders(specs: Sequence[GraderSpec | str], source: str) -> tuple[AnswerGrader, ...]:
    """The graders that need no model, in order; rubrics are left to the judges.

    Args:
        specs: as a suite gives them; a text names a plug-in.
        source: the suite's file, for the sentence.

    Raises:
        ConfigError: no such plug-in, or one that records under another's name.
    """
    found = [_built(spec, source) for spec in specs if not isinstance(spec, RubricSpec)]
    taken: set[str] = {spec.name for spec in specs if isinstance(spec, RubricSpec)}
    for grader in found:
        if grader.name in taken:
            raise ConfigError(source, f"two graders record under the name '{grader.name}'")
        taken.add(grader.name)
    return tuple(found)


def _built(spec: GraderSpec | str, source: str) -> AnswerGrader:
    match spec:
        case str():
            return _plugged_in(spec, source)
        case ExactSpec():
            return ExactGrader(
                name=spec.name, pointer=spec.pointer, expected=spec.expected, ignore_case=spec.ignore_case
            )
        case RegexSpec():
            pattern = re.compile(spec.pattern, re.IGNORECASE if spec.ignore_case else 0)
            return RegexGrader(
                name=spec.name, pointer=spec.pointer, pattern=pattern, forbidden=spec.forbidden
            )
        case NumericSpec():
            return NumericGrader(
                name=spec.name,
                pointer=spec.pointer,
                expected=spec.expected,
                tolerance=spec.tolerance,
                low=spec.low,
                high=spec.high,
            )
        case JsonSchemaSpec():
            return JsonSchemaGrader(name=spec.name, pointer=spec.pointer, schema=spec.json_schema)
        case RubricSpec():
            raise UsageError(f"{source}: a rubric needs a model")
        case _:
            assert_never(spec)


def _plugged_in(name: str, source: str) -> AnswerGrader:
    if name in _registered:
        return _registered[name]()
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        grader: AnswerGrader = point.load()()
        return grader
    known = ", ".join(grader_names()) or "none is installed"
    raise ConfigError(source, f"'graders': no grader is plugged in as '{name}' (known: {known})")
