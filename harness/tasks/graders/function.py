"""A grader that is a plain Python function in a file of the user's: `./graders.py:polite`.

    def polite(answer, case):
        return "please" in answer.lower()

`answer` is the text, or the JSON value; `case` has the columns of the data set and `case_id`. What comes back
is true or false, a score 0..1, None where it cannot be known, or a pair of either and what was seen.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.plugins import object_at
from harness.tasks.grading import GradedAnswer, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionGrader:
    """Calls the function; whatever it raises leaves the answer ungraded.

    Attributes:
        takes_case: it wants the case beside the answer.
    """

    name: str
    function: Callable[..., Any]
    takes_case: bool

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        case = {"case_id": answer.case.case_id, **answer.case.columns}
        said = self.function(answer.payload, case) if self.takes_case else self.function(answer.payload)
        return _part(said)


def _part(said: Any) -> Part:
    if isinstance(said, Part):
        return said
    score, seen = said if isinstance(said, tuple) and len(said) == 2 else (said, None)
    if score is not None and not isinstance(score, bool | int | float):
        kind = type(score).__name__
        raise TypeError(f"it gave {kind}; expected true or false, a score 0..1 or None")
    detail = seen if isinstance(seen, Mapping) else {} if seen is None else {"seen": str(seen)[:300]}
    return Part(score=None if score is None else float(score), detail=detail)


def function_grader(reference: str, folder: Path, name: str | None, source: str) -> FunctionGrader:
    """The grader of a reference like `./graders.py:polite`.

    Args:
        reference: the file, relative to the suite, and the function's name.
        folder: the suite's.
        name: to record under; None for the function's own.
        source: where the suite names it, for messages.

    Raises:
        ConfigError: no such file or function, or a file that does not run; names the line.
    """
    found = object_at(reference, folder, source)
    if not callable(found) or inspect.iscoroutinefunction(found):
        raise ConfigError(source, f"{reference} is no plain function")
    try:
        wanted = [
            one
            for one in inspect.signature(found).parameters.values()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        wanted = []
    if len(wanted) not in (1, 2):
        raise ConfigError(source, f"{reference} takes {len(wanted)} values; expected (answer, case)")
    return FunctionGrader(
        name=name or reference.rpartition(":")[2], function=found, takes_case=len(wanted) == 2
    )
