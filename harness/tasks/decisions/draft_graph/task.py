"""`draft_graph`: a plain-English decision brief becomes a small decision graph."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import UsageError
from harness.records import Prompt, Role
from harness.tasks.base import Labels, QualityScore, Violation
from harness.tasks.bodies import validated_body
from harness.tasks.confidence import clarifier_status
from harness.tasks.decisions.draft_graph.grade import grade
from harness.tasks.decisions.draft_graph.graph import DraftAnswer, GraphSource, graph_json
from harness.tasks.decisions.draft_graph.parse import parse_answer
from harness.tasks.decisions.draft_graph.prompts import DraftGraphInput, draft_prompt, repair_prompt
from harness.tasks.decisions.draft_graph.repair import simple_repair
from harness.tasks.decisions.draft_graph.schema import DraftGraphBody
from harness.tasks.decisions.draft_graph.stabilise import graph_meta
from harness.tasks.decisions.draft_graph.topology import topology
from harness.tasks.decisions.draft_graph.validate import violations_of

MAX_CONSTRAINTS_CHARS = 5000


class DraftGraphTask:
    """The built-in reference task; see `harness.tasks.base.Task` for what each method promises."""

    name = "draft_graph"
    draft_role = Role.DRAFT
    repair_override: str | None = "repair_graph"

    def parse_input(self, body: Mapping[str, Any]) -> DraftGraphInput:
        """The request, checked; raises `UsageError` naming the wrong field."""
        read = validated_body(DraftGraphBody, body)
        if not read.brief.strip():
            raise UsageError("brief: must not be blank")
        if len(str(read.constraints)) > MAX_CONSTRAINTS_CHARS:
            raise UsageError(f"constraints: at most {MAX_CONSTRAINTS_CHARS} characters in all")
        return DraftGraphInput(
            brief=read.brief,
            attachments=tuple(read.attachments or ()),
            constraints=read.constraints,
            flags=tuple(sorted(name for name, is_set in (read.flags or {}).items() if is_set)),
            include_debug=bool(read.include_debug),
        )

    def draft_prompt(self, task_input: DraftGraphInput) -> Prompt:
        """The first question."""
        return draft_prompt(task_input)

    def parse(self, text: str) -> DraftAnswer:
        """The answer, read and stabilised; raises `BadOutputError` when there is no graph in it."""
        return parse_answer(text)

    def validate(self, answer: DraftAnswer) -> Sequence[Violation]:
        """Every broken rule."""
        return violations_of(answer)

    def repair_prompt(
        self, task_input: DraftGraphInput, answer: DraftAnswer | None, violations: Sequence[Violation]
    ) -> Prompt:
        """The repair question."""
        return repair_prompt(task_input, answer, violations)

    def simple_repair(self, answer: DraftAnswer) -> DraftAnswer:
        """The deterministic repair; raises `BadOutputError` when nothing is left."""
        return simple_repair(answer)

    def grade(
        self, answer: DraftAnswer, task_input: DraftGraphInput, labels: Labels | None = None
    ) -> QualityScore:
        """The quality score."""
        return grade(answer, task_input, labels)

    def confidence(self, answer: DraftAnswer) -> float | None:
        """The model's own confidence."""
        return answer.confidence

    def payload(self, answer: DraftAnswer) -> dict[str, Any]:
        """The public answer; `issues` only when there are some."""
        by_rule = answer.source == GraphSource.SIMPLE_REPAIR
        issues = [*answer.notes, *topology(answer.graph).findings]
        return {
            "graph": {**graph_json(answer.graph), "meta": graph_meta(answer.graph, answer.source)},
            "rationales": [{"target": each.target, "why": each.why} for each in answer.rationales],
            **({"issues": issues} if issues else {}),
            "confidence": answer.confidence,
            "clarifier_status": clarifier_status(answer.confidence, finished_by_rule=by_rule),
        }
