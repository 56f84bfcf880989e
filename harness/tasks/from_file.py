"""A task written as a file: prompts with places for a case's columns, and the form of a good answer.

Such a task needs no code: the suite says what is asked, how an answer is read, and which graders make the
tier. One `FileTask` serves a whole data set; `for_case` binds it to one case, whose columns fill the prompts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from harness.errors import BadOutputError, ConfigError, UsageError
from harness.inputs import ABSENT, Template, missing_column, value_named
from harness.records import Prompt, Role, ScoreBasis, Turn
from harness.tasks.base import Labels, QualityScore, Task, Violation
from harness.tasks.briefs import BriefCase
from harness.tasks.grading import AnswerGrader, GradedAnswer, Weighing, weigh
from harness.tasks.jsonanswer import find_json
from harness.tasks.schemacheck import SchemaChecker

MAX_ANSWER_CHARS = 400_000
ANSWER, PROBLEMS = "answer", "problems"
"""Places of a repair prompt beside the case's columns: the answer to mend, and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRule:
    """When an answer is asked to be mended, and how.

    Attributes:
        when: it breaks the `schema`, or the `grader`s' score is below `below`.
    """

    when: Literal["schema", "grader"]
    prompt: Template
    below: float


@dataclass(frozen=True, kw_only=True)
class FileTask:
    """A task from a file; see `harness.tasks.base.Task` for what each method promises.

    Attributes:
        turns: earlier turns of the conversation, each of `user` or `assistant`, before the prompt.
        answer: `text` takes the answer as it stands, `json` the first JSON value in it.
        schema: what a JSON answer must be like; None for any.
        graders: what makes the tier, each with its weight.
    """

    name: str
    prompt: Template
    system: Template | None = None
    turns: Sequence[tuple[Literal["user", "assistant"], Template]] = ()
    answer: Literal["text", "json"] = "text"
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float | None = None
    repair: RepairRule | None = None
    graders: Sequence[tuple[AnswerGrader, Weighing]] = ()
    draft_role: Role = Role.DRAFT

    @property
    def repair_override(self) -> str | None:
        """The routing key of the repair call; None for a task without one."""
        return None if self.repair is None else f"repair_{self.name}"

    @property
    def event_stem(self) -> str:
        """What its events begin with."""
        return f"assist.{self.name}"

    @cached_property
    def checker(self) -> SchemaChecker | None:
        """What checks answers by the schema."""
        return None if self.schema is None else SchemaChecker(self.schema)

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Every column that a template names, with the place that names it."""
        named = [self.prompt, *(turn for _, turn in self.turns), *([self.system] if self.system else [])]
        found = {name: template.source for template in reversed(named) for name in template.names}
        if self.repair is not None:
            mine = (name for name in self.repair.prompt.names if name not in (ANSWER, PROBLEMS))
            found.update({name: found.get(name, self.repair.prompt.source) for name in mine})
        return tuple(found.items())

    def check_case(self, case: BriefCase) -> None:
        """Refuse a case that lacks what a template names.

        Raises:
            ConfigError: names the case's line, the column, and where it is asked for.
        """
        for name, source in self.columns:
            if value_named(case.columns, name) is ABSENT:
                raise ConfigError(
                    case.where, f"{missing_column(name, case.columns)}, but {source} asks for it"
                )
        if not self.prompt.render(case.columns).strip():
            raise ConfigError(case.where, f"the prompt of {self.prompt.source} is blank")

    def body_of(self, case: BriefCase) -> dict[str, Any]:
        """What the case asks: the columns that the templates name, as judges are shown them."""
        return {name: value_named(case.columns, name) for name, _ in self.columns}

    def unbound(self) -> Task[Any, Any]:
        """The task as those take it who ask only for its name and its routes; see `task_of`."""
        unbound: Any = self
        return unbound  # type: ignore[no-any-return]  # prompts and grades need a case, see `task_of`

    def for_case(self, case: BriefCase) -> "CaseTask":
        """The task as it is asked of one case, once."""
        return CaseTask(self, case)


def task_of(task: Task[Any, Any], case: BriefCase) -> Task[Any, Any]:
    """The task as it is asked of one case: bound to it where it is written as a file, else as it is."""
    return task.for_case(case) if isinstance(task, FileTask) else task


@dataclass(slots=True)
class CaseTask:
    """A file's task bound to one case and one request; see `harness.tasks.base.Task`."""

    task: FileTask
    case: BriefCase
    name: str = field(init=False)
    draft_role: Role = field(init=False)
    repair_override: str | None = field(init=False)
    event_stem: str = field(init=False)
    _mended: bool = False
    _prompt: Prompt | None = None

    def __post_init__(self) -> None:
        self.name = self.task.name
        self.draft_role = self.task.draft_role
        self.repair_override = self.task.repair_override
        self.event_stem = self.task.event_stem

    def parse_input(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body as it is: the case's columns are known already."""
        return body

    def draft_prompt(self, task_input: Mapping[str, Any]) -> Prompt:  # noqa: ARG002 - the protocol's signature
        """The question, with the case's columns in their places."""
        if self._prompt is None:
            self._prompt = self._asked(self.task.prompt, self.case.columns, self.draft_role)
        return self._prompt

    def parse(self, text: str) -> Any:
        """The answer: its text, or the JSON value in it; raises `BadOutputError` for neither."""
        if len(text) > MAX_ANSWER_CHARS:
            raise BadOutputError(f"the answer has {len(text)} characters, more than {MAX_ANSWER_CHARS}")
        if self.task.answer == "json":
            return find_json(text)
        if not text.strip():
            raise BadOutputError("the answer is empty")
        return text.strip()

    def validate(self, answer: Any) -> Sequence[Violation]:
        """What the schema says; before a repair also that the graders' score is too low."""
        checker, repair = self.task.checker, self.task.repair
        broken = [] if checker is None else checker.violations(answer)
        if broken or repair is None or repair.when != "grader" or self._mended:
            return broken
        score = self.grade(answer, self.case.body).score
        if score >= repair.below:
            return []
        return [Violation(code="score", message=f"the answer scores {score:.2f}, below {repair.below:g}")]

    def repair_prompt(
        self,
        task_input: Mapping[str, Any],  # noqa: ARG002 - the protocol's signature
        answer: Any | None,
        violations: Sequence[Violation],
    ) -> Prompt:
        """The repair question, with the answer and what is wrong with it in their places."""
        if self.task.repair is None:
            raise UsageError(f"task '{self.name}' has no repair")
        self._mended = True
        problems = "\n".join(f"- {violation.message}" for violation in violations)
        values = {**self.case.columns, ANSWER: "" if answer is None else answer, PROBLEMS: problems}
        return self._asked(self.task.repair.prompt, values, Role.REPAIR)

    def simple_repair(self, answer: Any) -> Any:
        """The answer as it is, where it is valid: no rule can mend what nobody described.

        Raises:
            BadOutputError: it breaks the schema.
        """
        broken = [] if self.task.checker is None else self.task.checker.violations(answer)
        if broken:
            raise BadOutputError(broken[0].message)
        return answer

    def grade(
        self,
        answer: Any,
        task_input: Mapping[str, Any],  # noqa: ARG002 - the protocol's signature
        labels: Labels | None = None,  # noqa: ARG002 - the case itself says what is expected
    ) -> QualityScore:
        """The weighted score of the suite's graders.

        Raises:
            BadOutputError: none of them could say anything: the answer is ungraded.
        """
        graded = GradedAnswer(task=self.name, case=self.case, payload=answer)
        return weigh(self.task.graders, graded, ScoreBasis.LABELLED)

    def confidence(self, answer: Any) -> float | None:  # noqa: ARG002 - the protocol's signature
        """None: a file's task asks for none."""
        return None

    def payload(self, answer: Any) -> dict[str, Any]:
        """The answer under a key of its own, or a JSON object as it is."""
        if self.task.answer == "json" and isinstance(answer, dict):
            return dict(answer)
        return {"answer": answer}

    def _asked(self, user: Template, values: Mapping[str, Any], role: Role) -> Prompt:
        task = self.task
        return Prompt(
            role=role,
            system="" if task.system is None else task.system.render(values),
            user=user.render(values),
            turns=tuple(Turn(speaker=speaker, text=turn.render(values)) for speaker, turn in task.turns),
            output_schema=task.schema,
            schema_name=task.name.replace(".", "_"),
            max_tokens=task.max_tokens,
            temperature=task.temperature,
        )
