"""A task as it is written in YAML, inside a suite or in a file of its own, and the `FileTask` it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.errors import ConfigError
from harness.inputs import (
    LARGEST_SETTINGS_BYTES,
    LocatedYaml,
    Template,
    checked_yaml,
    is_file,
    load_located_yaml,
)
from harness.records import dump_json
from harness.tasks.from_file import FileTask, RepairRule
from harness.tasks.grading import AnswerGrader, Weighing
from harness.tasks.schemacheck import schema_problem

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=100_000)]
MEDIUM = 0.7


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TurnSpec(_Strict):
    """An earlier turn: of the user, or of the assistant."""

    user: Text | None = None
    assistant: Text | None = None

    @model_validator(mode="after")
    def _one_speaker(self) -> Self:
        if (self.user is None) == (self.assistant is None):
            raise ValueError("a turn is of `user` or of `assistant`")
        return self


class RepairSpec(_Strict):
    """When an answer is asked to be mended; `{answer}` and `{problems}` stand for it and what is wrong."""

    when: Literal["schema", "grader"] = "schema"
    prompt: Text
    below: Annotated[float, Field(gt=0, le=1, strict=False)] = MEDIUM


class TaskSpec(_Strict):
    """A task; a `schema` makes its answers JSON."""

    name: Name | None = None
    prompt: Text
    system: Text | None = None
    turns: list[TurnSpec] = Field(default_factory=list, max_length=50)
    answer: Literal["text", "json"] | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    max_tokens: int = Field(default=1024, ge=1, le=200_000)
    temperature: Annotated[float, Field(ge=0, le=2, strict=False)] | None = None
    repair: RepairSpec | None = None

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        problem = None if schema is None else schema_problem(schema)
        if problem is not None:
            raise ValueError(problem)
        return schema

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.answer == "text" and self.json_schema is not None:
            raise ValueError("a text has no schema: leave out `answer`, or say `answer: json`")
        if self.repair is not None and self.repair.when == "schema" and not self.is_json:
            raise ValueError("a text breaks no schema: say `when: grader` in `repair`")
        return self

    @property
    def is_json(self) -> bool:
        """Whether its answers are JSON."""
        return self.answer == "json" or self.json_schema is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTask:
    """A task as written, and where.

    Attributes:
        located: the file it is written in. at: where in it.
    """

    spec: TaskSpec
    located: LocatedYaml
    at: tuple[str | int, ...] = ()

    @property
    def digest(self) -> str:
        """Changes with anything that changes a question or the reading of an answer."""
        return sha256(dump_json(self.spec.model_dump(mode="json"))).hexdigest()[:8]

    def made(self, name: str, graders: Sequence[tuple[AnswerGrader, Weighing]]) -> FileTask:
        """The task that is described.

        Args:
            name: where the task names none.
            graders: what makes the tier.

        Raises:
            ConfigError: a wrong template; names its line.
        """
        spec = self.spec
        repair = None
        if spec.repair is not None:
            prompt = self._template(spec.repair.prompt, "repair", "prompt")
            repair = RepairRule(when=spec.repair.when, prompt=prompt, below=spec.repair.below)
        return FileTask(
            name=spec.name or name,
            prompt=self._template(spec.prompt, "prompt"),
            system=None if spec.system is None else self._template(spec.system, "system"),
            turns=tuple(self._turn(number, turn) for number, turn in enumerate(spec.turns)),
            answer="json" if spec.is_json else "text",
            schema=spec.json_schema,
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            repair=repair,
            graders=tuple(graders),
        )

    def _turn(self, number: int, turn: TurnSpec) -> tuple[Literal["user", "assistant"], Template]:
        if turn.user is not None:
            return "user", self._template(turn.user, "turns", number, "user")
        return "assistant", self._template(turn.assistant or "", "turns", number, "assistant")

    def _template(self, text: str, *place: str | int) -> Template:
        return Template.parse(text, self.located.where((*self.at, *place)))


def written_task(task: TaskSpec | str, located: LocatedYaml, folder: Path) -> WrittenTask | None:
    """The task that a suite writes out, or whose file it names; None for the name of one that is code.

    Args:
        task: as the suite says it.
        located: the suite's file.
        folder: the suite's, which a path is relative to.

    Raises:
        ConfigError: no such file, or a wrong one; names the line.
    """
    if isinstance(task, TaskSpec):
        return WrittenTask(spec=task, located=located, at=("task",))
    if not task.endswith((".yaml", ".yml")):
        return None
    path = folder / task
    if not is_file(path):
        raise ConfigError(located.where(("task",)), f"there is no task file '{task}' beside the suite")
    own = load_located_yaml(path, LARGEST_SETTINGS_BYTES, what="a task")
    return WrittenTask(spec=checked_yaml(TaskSpec, own), located=own)
