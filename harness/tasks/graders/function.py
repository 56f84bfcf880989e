"""A grader that is a plain Python function in a file of the user's: `./graders.py:polite`.

    def polite(answer, case):
        return "please" in answer.lower()

`answer` is the text, or the JSON value; `case` has the columns of the data set and `case_id`. What comes back
is true or false, a score 0..1, None where it cannot be known, or a pair of either and what was seen.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.inputs import is_file
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
    file, _, attribute = reference.rpartition(":")
    path = (folder / file).resolve()
    if not is_file(path):
        raise ConfigError(source, f"there is no file '{file}' (looked in {folder})")
    found = getattr(_module(path, source), attribute, None)
    if not callable(found) or inspect.iscoroutinefunction(found):
        raise ConfigError(source, f"{file} has no function '{attribute}'{_functions(path)}")
    try:
        wanted = [
            one
            for one in inspect.signature(found).parameters.values()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        wanted = []
    if len(wanted) not in (1, 2):
        raise ConfigError(source, f"{file}:{attribute} takes {len(wanted)} values; expected (answer, case)")
    return FunctionGrader(name=name or attribute, function=found, takes_case=len(wanted) == 2)


def source_digest(reference: str, folder: Path) -> str:
    """Of the function's file, so that a resumed run grades as it began; empty when it cannot be read."""
    path = folder / reference.rpartition(":")[0]
    return sha256(path.read_bytes()).hexdigest()[:16] if is_file(path) else ""


def _module(path: Path, source: str) -> Any:
    """The file, run as a module of its own."""
    name = f"harness_graders_{sha256(str(path).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(source, f"{path.name} is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"{path}:{_line_of(error, path)}", f"{type(error).__name__}: {error}") from error
    return module


def _line_of(error: Exception, path: Path) -> int:
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return frames[-1].lineno or 1 if frames else 1


def _functions(path: Path) -> str:
    module = next((m for m in sys.modules.values() if getattr(m, "__file__", None) == str(path)), None)
    names = [name for name, value in vars(module).items() if inspect.isfunction(value)] if module else []
    return f" (there is: {', '.join(names)})" if names else ""
