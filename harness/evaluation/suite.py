"""Suite files: which cases, which task, which strategies, how often, and how answers are graded."""

import re
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from harness.bundle import bundled
from harness.errors import ConfigError
from harness.evaluation.suite_checks import check_expectations, check_pointers
from harness.inputs import LARGEST_SETTINGS_BYTES, LocatedYaml, checked_yaml, is_file, load_located_yaml
from harness.orchestration.datasets import load_dataset, load_plain_dataset
from harness.plugins import is_path, source_digest
from harness.tasks.base import Task
from harness.tasks.briefs import BriefCase
from harness.tasks.from_file import FileTask
from harness.tasks.graders.marking import (
    MAX_GRADERS,
    RESERVED_NAMES,
    WHOLE_NAMES,
    Families,
    FunctionSpec,
    Marking,
    PairwiseSpec,
    WrittenGrader,
    name_problem,
    spec_of,
)
from harness.tasks.graders.registry import answer_graders
from harness.tasks.grading import AnswerGrader, Weighing
from harness.tasks.registry import get_task
from harness.tasks.task_file import TaskSpec, written_task

MAX_REPEATS = 1000
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


def _task_form(value: Any) -> str:
    return "written here" if isinstance(value, dict | TaskSpec) else "named"


class SuiteFile(BaseModel):
    """A suite as written; `dataset`, task files and functions are relative to the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: Name | None = None
    task: Annotated[
        Annotated[str, Field(min_length=1, max_length=1000), Tag("named")]
        | Annotated[TaskSpec, Tag("written here")],
        Discriminator(_task_form),
    ]
    dataset: str = Field(min_length=1, max_length=1000)
    expected: str | None = Field(default=None, min_length=1, max_length=200)
    strategies: list[str] | None = Field(default=None, min_length=1, max_length=50)
    repeats: int = Field(default=1, ge=1, le=MAX_REPEATS)
    graders: list[WrittenGrader] = Field(default_factory=list, max_length=MAX_GRADERS)
    pairwise: PairwiseSpec | None = None
    families: Families = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite with its cases read.

    Attributes:
        task: its name.
        digest: of the cases and of a task written as a file, so that a resumed run asks the same.
        marking: how it grades beyond the task's own score.
        graders: those of the marking that need no model, each with what it counts for.
        file_task: the task where it is written as a file; None for one that is code.
        task_at: where the suite names it.
        task_reference: `./file.py:name` of one that is code beside the suite; empty for a plug-in's name.
    """

    name: str
    path: Path
    task: str
    strategies: tuple[str, ...]
    repeats: int
    cases: tuple[BriefCase, ...]
    digest: str
    marking: Marking = field(default_factory=Marking)
    graders: tuple[tuple[AnswerGrader, Weighing], ...] = ()
    file_task: FileTask | None = None
    task_at: str = ""
    task_reference: str = ""

    def asked(self) -> Task[Any, Any]:
        """The task, made afresh where it is code.

        Raises:
            ConfigError: there is none of that name; names the suite's line.
        """
        if self.file_task is not None:
            return self.file_task.unbound()
        at = self.task_at or str(self.path)
        return get_task(self.task_reference or self.task, source=f"{at}: 'task'", folder=self.path.parent)


def load_suite(reference: str) -> Suite:
    """A built-in suite by name, or any by path.

    Raises:
        ConfigError: no such suite, or a wrong file; names it, and the line.
    """
    path = find_suite(reference)
    located = load_located_yaml(path, LARGEST_SETTINGS_BYTES, what="a suite")
    file = checked_yaml(SuiteFile, located)
    strategies = file.strategies or []
    for place, name in enumerate(strategies):
        if name in strategies[:place]:
            problem = f"'strategies': '{name}' stands twice; `repeats` asks more often"
            raise ConfigError(located.where(("strategies", place)), problem)
    name = file.name or _name_of(path)
    written = written_task(file.task, located, path.parent)
    marking = _marking(file, located, path.parent, of_code=written is None)
    graders = answer_graders(marking, path.parent, lambda place: located.where(("graders", place)))
    task = None if written is None else written.made(name, graders)
    own = str(file.task) if written is None and is_path(str(file.task)) else ""
    cases, digest = _cases(file, located, path.parent, task)
    check_expectations(marking, cases, located, told=task is not None)
    if written is not None and task is not None:
        check_pointers(marking, task, located)
        digest = f"{digest}-{written.digest}"
    if own:
        digest = f"{digest}-{source_digest(own, path.parent)}"
    return Suite(
        name=name,
        path=path,
        task=_task_name(file, own, located, path.parent) if task is None else task.name,
        task_at=located.where(("task",)),
        task_reference=own,
        strategies=tuple(dict.fromkeys(strategy_reference(name, path.parent) for name in strategies)),
        repeats=file.repeats,
        cases=cases,
        digest=digest,
        marking=marking,
        graders=graders,
        file_task=task,
    )


def _task_name(file: SuiteFile, own: str, located: LocatedYaml, folder: Path) -> str:
    """Of a task that is code: as the suite names a plug-in, or as a class of the user's own calls itself."""
    if not own:
        return str(file.task)
    return get_task(own, source=f"{located.where(('task',))}: 'task'", folder=folder).name


def _name_of(path: Path) -> str:
    """What a suite without a name is called: its file, or the folder of one called `suite.yaml`."""
    stem = path.resolve().parent.name if path.stem == "suite" else path.stem
    return re.sub(r"[^A-Za-z0-9_.-]", "-", stem).lstrip("_.-")[:64] or "suite"


def _marking(file: SuiteFile, located: LocatedYaml, folder: Path, *, of_code: bool) -> Marking:
    """How the suite grades; a task that is code has a score of its own, which no grader changes."""
    specs = tuple(spec_of(written) for written in file.graders)
    problem = name_problem(specs, RESERVED_NAMES if of_code else WHOLE_NAMES)
    if problem is not None:
        raise ConfigError(located.where(("graders",)), problem)
    for place, spec in enumerate(specs):
        if of_code and (spec.weight is not None or spec.must_pass):
            problem = "the task makes the score itself, so that no grader has a weight or must pass"
            raise ConfigError(located.where(("graders", place)), problem)
    functions = [spec.path for spec in specs if isinstance(spec, FunctionSpec)]
    return Marking(
        graders=specs,
        pairwise=file.pairwise,
        families=file.families,
        expected=file.expected,
        sources={path: source_digest(path, folder) for path in functions},
    )


def _cases(
    file: SuiteFile, located: LocatedYaml, folder: Path, task: FileTask | None
) -> tuple[tuple[BriefCase, ...], str]:
    """The cases, with a digest of their file; of a file's task every case has what its templates name."""
    dataset = folder / file.dataset
    if not is_file(dataset):
        raise ConfigError(
            located.where(("dataset",)), f"there is no data set '{file.dataset}' beside the suite"
        )
    digest = sha256(dataset.read_bytes()).hexdigest()[:16]
    if task is None:
        return load_dataset(dataset), digest
    cases = load_plain_dataset(dataset)
    for case in cases:
        task.check_case(case)
    return tuple(replace(case, body=task.body_of(case)) for case in cases), digest


def strategy_reference(name: str, folder: Path) -> str:
    """A shipped strategy's name as it is; a file as an absolute path, whoever resumes the run from wherever.

    Args:
        name: as written.
        folder: what a relative path is relative to.
    """
    is_path = name.endswith((".yaml", ".yml")) or "/" in name
    return str((folder / name).resolve()) if is_path else name


def built_in_suites() -> dict[str, Path]:
    """The shipped suites' files by name."""
    return {file.stem: file for file in sorted(bundled("scenarios", "suites").glob("*.yaml"))}


def find_suite(reference: str) -> Path:
    """The file of a built-in suite's name, or the path itself; of a folder, its `suite.yaml`.

    Raises:
        ConfigError: neither; names what is there.
    """
    path = Path(reference)
    if is_file(path / "suite.yaml"):
        return path / "suite.yaml"
    if path.suffix in (".yaml", ".yml") or "/" in reference:
        if not is_file(path):
            raise ConfigError("SUITE", f"there is no suite file '{reference}'")
        return path
    files = built_in_suites()
    if reference not in files:
        raise ConfigError("SUITE", f"unknown suite '{reference}' (known: {', '.join(files)})")
    return files[reference]
