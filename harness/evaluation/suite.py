"""Suite files: which cases, which task, which strategies, how often."""

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from harness.bundle import bundled
from harness.errors import ConfigError
from harness.evaluation.graders.marking import (
    MAX_GRADERS,
    Families,
    Marking,
    PairwiseSpec,
    WrittenGrader,
    name_problem,
)
from harness.inputs import LARGEST_SETTINGS_BYTES, checked, is_file, load_yaml
from harness.orchestration.datasets import load_dataset
from harness.tasks.briefs import BriefCase

MAX_REPEATS = 1000


class SuiteFile(BaseModel):
    """A suite as written; `dataset` is relative to the file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    task: str = Field(min_length=1, max_length=64)
    dataset: str = Field(min_length=1, max_length=1000)
    strategies: list[str] = Field(min_length=1, max_length=50)
    repeats: int = Field(default=1, ge=1, le=MAX_REPEATS)
    graders: list[WrittenGrader] = Field(default_factory=list, max_length=MAX_GRADERS)
    pairwise: PairwiseSpec | None = None
    families: Families = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite with its cases read.

    Attributes:
        digest: of the cases, so that a resumed run asks the same ones.
        marking: how it grades beyond the task's own score.
    """

    name: str
    path: Path
    task: str
    strategies: tuple[str, ...]
    repeats: int
    cases: tuple[BriefCase, ...]
    digest: str
    marking: Marking = field(default_factory=Marking)


def load_suite(reference: str) -> Suite:
    """A built-in suite by name, or any by path.

    Raises:
        ConfigError: no such suite, or a wrong file; names it.
    """
    path = find_suite(reference)
    file = checked(SuiteFile, load_yaml(path, LARGEST_SETTINGS_BYTES, what="a suite"), str(path))
    problem = name_problem(file.graders)
    if problem is not None:
        raise ConfigError(str(path), problem)
    twice = next((name for name in file.strategies if file.strategies.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(str(path), f"'strategies': '{twice}' stands twice; `repeats` asks more often")
    dataset = path.parent / file.dataset
    cases = load_dataset(dataset)
    return Suite(
        name=file.name,
        path=path,
        task=file.task,
        strategies=tuple(dict.fromkeys(strategy_reference(name, path.parent) for name in file.strategies)),
        repeats=file.repeats,
        cases=cases,
        digest=sha256(dataset.read_bytes()).hexdigest()[:16],
        marking=Marking(graders=tuple(file.graders), pairwise=file.pairwise, families=file.families),
    )


def strategy_reference(name: str, folder: Path) -> str:
    """A shipped strategy's name as it is; a file as an absolute path, whoever resumes the run from wherever.

    Args:
        name: as written.
        folder: what a relative path is relative to.
    """
    is_file = name.endswith((".yaml", ".yml")) or "/" in name
    return str((folder / name).resolve()) if is_file else name


def find_suite(reference: str) -> Path:
    """The file of a built-in suite's name, or the path itself.

    Raises:
        ConfigError: neither; names what is there.
    """
    path = Path(reference)
    if path.suffix in (".yaml", ".yml") or "/" in reference:
        if not is_file(path):
            raise ConfigError("SUITE", f"there is no suite file '{reference}'")
        return path
    files = {file.stem: file for file in sorted(bundled("scenarios", "suites").glob("*.yaml"))}
    if reference not in files:
        raise ConfigError("SUITE", f"unknown suite '{reference}' (known: {', '.join(files)})")
    return files[reference]
