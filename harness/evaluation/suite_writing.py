"""A first suite for a data set of one's own: a few lines of YAML, and a grader that suits its references."""

import os
import re
from pathlib import Path

import yaml

from harness.errors import ConfigError, UsageError
from harness.evaluation.suite import Suite, load_suite
from harness.inputs import ABSENT, Template, is_file, missing_column, value_named
from harness.orchestration.datasets import load_plain_dataset
from harness.outputs import replace_file

SHORT_WORDS = 5
"""References of at most so many words are looked for in the answer; longer ones are compared word by word."""
_NUMBER = re.compile(r"\s*[$]?-?[\d,]+(\.\d+)?%?\s*")


def write_suite(
    folder: Path, data: Path, *, prompt: str, system: str | None = None, expected: str | None = None
) -> Suite:
    """Write `suite.yaml` into a folder and read it back, so that what is written runs.

    Args:
        folder: made where it is not there.
        data: the data set, which stays where it is.
        prompt: with columns in braces.
        system: the same, or None.
        expected: the column that holds what is expected; None for none.

    Raises:
        UsageError: there is a suite already.
        ConfigError: the data set cannot be read, or lacks a column.
    """
    path = folder / "suite.yaml"
    if is_file(path):
        raise UsageError(f"there is a suite already: {path}")
    cases = load_plain_dataset(data)
    named = [(name, "--prompt") for name in Template.parse(prompt, "--prompt").names]
    named += [(expected, "--expected")] if expected else []
    named += [(name, "--system") for name in Template.parse(system or "", "--system").names]
    for name, option in named:
        if value_named(cases[0].columns, name) is ABSENT:
            raise ConfigError(option, f"{missing_column(name, cases[0].columns)}, in {data}")
    references = [] if expected is None else [value_named(case.columns, expected) for case in cases]
    relative = os.path.relpath(data.resolve(), folder.resolve())
    text = _text(prompt, system, relative, expected, _grader(references))
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.encode())
    try:
        return load_suite(str(path))
    except ConfigError:
        path.unlink()
        raise


def _grader(references: list[object]) -> dict[str, object] | None:
    """The grader that suits what is expected."""
    texts = [str(value) for value in references if value is not ABSENT]
    if not texts:
        return None
    if all(_NUMBER.fullmatch(text) for text in texts):
        return {"kind": "numeric", "take": "last"}
    if max(len(text.split()) for text in texts) <= SHORT_WORDS:
        return {"kind": "contains", "ignore_case": True}
    return {"kind": "f1", "enough": 0.5}


def _text(
    prompt: str, system: str | None, data: str, expected: str | None, grader: dict[str, object] | None
) -> str:
    task = {"system": system, "prompt": prompt, "max_tokens": 512}
    lines = ["# What is asked: columns of the data set in braces. docs/evaluation.md has the rest.", "task:"]
    lines += [f"  {_line({name: value})}" for name, value in task.items() if value is not None]
    lines.append(_line({"dataset": data}))
    if expected is not None:
        lines += [
            "# The column with the reference answer, which no model is shown.",
            _line({"expected": expected}),
        ]
    if grader is not None:
        lines += [
            "# What makes the tier: high from 0.9, medium from 0.7. Also: exact, regex, rouge_l, similarity,",
            "# json_schema, rubric, or a function, ./graders.py:polite; with weight, threshold, must_pass.",
            "graders:",
            f"  - {yaml.safe_dump(grader, default_flow_style=True, sort_keys=False, width=1000).strip()}",
        ]
    return "\n".join(lines) + "\n"


def _line(pair: dict[str, object]) -> str:
    return str(yaml.safe_dump(pair, allow_unicode=True, width=1000, default_style=None)).rstrip("\n")
