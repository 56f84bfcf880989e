"""What a task is: prompts, parsing, validation, repair and grading, with no idea who answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from harness.records import Prompt, Role, ScoreBasis, Tier, tier_of

InputT = TypeVar("InputT")
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule of an answer: a stable code, where, and a sentence a model can act on."""

    code: str
    message: str
    where: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What a labelled case says a good answer must contain."""

    options: Sequence[str] = ()
    figures: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one grader of a suite said of an answer: a score 0..1 or None, and whether that passes."""

    grader: str
    score: float | None
    passed: bool | None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityScore:
    """A weighted score 0..1, its parts by grader name (each 0..1), and what coverage was measured against.

    `said` has the graders of a suite that made the score, where they did.
    """

    score: float
    basis: ScoreBasis
    parts: Mapping[str, float] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)
    said: Sequence[Said] = ()

    @property
    def tier(self) -> Tier:
        """The tier of the score."""
        tier = tier_of(self.score)
        if tier is None:  # a score is a number by type; this keeps the checker honest
            raise ValueError("a quality score without a number")
        return tier


def event_stem(task: "Task[Any, Any]") -> str:
    """What the names of a task's events begin with: its own `event_stem`, or its name's first word."""
    stem = getattr(task, "event_stem", None)
    return str(stem) if stem else f"assist.{task.name.split('_', maxsplit=1)[0]}"


class Task(Protocol[InputT, AnswerT]):
    """A kind of question the pipeline can put to models. Registered under the entry point `harness.tasks`.

    Attributes:
        name: as in routing and records (`draft_graph`).
        draft_role: `Role.DRAFT`, or the role the first call is recorded under.
        repair_override: the routing key of the repair call (`repair_graph`), or None when there is none.
    """

    name: str
    draft_role: Role
    repair_override: str | None

    def parse_input(self, body: Mapping[str, Any]) -> InputT:
        """The validated input from a request body.

        Raises:
            UsageError: one clear sentence naming the wrong field.
        """
        ...

    def draft_prompt(self, task_input: InputT) -> Prompt:
        """The first question."""
        ...

    def parse(self, text: str) -> AnswerT:
        """The model's answer, read and stabilised (ids, order), broken rules and all.

        Raises:
            BadOutputError: nothing readable in the text.
        """
        ...

    def validate(self, answer: AnswerT) -> Sequence[Violation]:
        """Every broken rule; empty when the answer is good."""
        ...

    def repair_prompt(
        self, task_input: InputT, answer: AnswerT | None, violations: Sequence[Violation]
    ) -> Prompt:
        """The repair question, given the answer (None when unreadable) and what is wrong with it."""
        ...

    def simple_repair(self, answer: AnswerT) -> AnswerT:
        """The deterministic repair of last resort: its result always validates.

        Raises:
            BadOutputError: nothing worth keeping is left.
        """
        ...

    def grade(self, answer: AnswerT, task_input: InputT, labels: Labels | None = None) -> QualityScore:
        """The quality score of an answer, the same in service and evaluator."""
        ...

    def confidence(self, answer: AnswerT) -> float | None:
        """The model's own confidence 0..1, or None; never computed."""
        ...

    def payload(self, answer: AnswerT) -> dict[str, Any]:
        """The public JSON of the answer, without tier and score (the pipeline adds them)."""
        ...
