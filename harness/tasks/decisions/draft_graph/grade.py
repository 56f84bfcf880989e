"""The quality score: 0.30 schema and caps + 0.20 topology + 0.40 coverage + 0.10 provenance.

The graders, what scores high and what low:

- schema: an answer that breaks no rule; each different broken rule costs half. See `validate`.
- topology: goal -> decision -> options -> outcomes, in one piece; see `topology`.
- coverage: the brief's options and figures stand in the graph; see `coverage`.
- provenance: edges say truthfully where they come from; see `grounding`.

When the brief puts nothing on the table (no option, no figure), coverage is unknown, not perfect: the other
graders share its weight in proportion, and the score's detail says so (`coverage_items` 0).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.records import ScoreBasis
from harness.tasks.base import Labels, QualityScore
from harness.tasks.decisions.draft_graph.coverage import coverage
from harness.tasks.decisions.draft_graph.graph import DraftAnswer
from harness.tasks.decisions.draft_graph.grounding import provenance_score
from harness.tasks.decisions.draft_graph.prompts import DraftGraphInput
from harness.tasks.decisions.draft_graph.topology import topology
from harness.tasks.decisions.draft_graph.validate import violations_of
from harness.tasks.decisions.language.extraction import extracted_labels
from harness.tasks.grading import Grader, Part, schema_part, weighted_score


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the graders look at: an answer, the request it answers, and what it should hold."""

    answer: DraftAnswer
    task_input: DraftGraphInput
    wanted: Labels


def _schema(subject: Subject) -> Part:
    return schema_part(violations_of(subject.answer))


def _topology(subject: Subject) -> Part:
    shape = topology(subject.answer.graph)
    return Part(score=shape.score, detail={"topology": dict(shape.parts), "findings": list(shape.findings)})


def _coverage(subject: Subject) -> Part:
    held = coverage(subject.answer.graph, subject.wanted.options, subject.wanted.figures)
    return Part(
        score=held.share,
        detail={
            "coverage_items": held.wanted,
            "missing_options": list(held.missing_options),
            "missing_figures": list(held.missing_figures),
        },
    )


def _provenance(subject: Subject) -> Part:
    sources = [subject.task_input.brief, *(document.text for document in subject.task_input.attachments)]
    return Part(score=provenance_score(subject.answer.graph, sources))


GRADERS: tuple[Grader[Subject], ...] = (
    Grader(name="schema", weight=0.30, grade=_schema),
    Grader(name="topology", weight=0.20, grade=_topology),
    Grader(name="coverage", weight=0.40, grade=_coverage),
    Grader(name="provenance", weight=0.10, grade=_provenance),
)
"""The graders behind the score, in the order of the spec."""

WEIGHTS: Mapping[str, float] = {grader.name: grader.weight for grader in GRADERS}
"""Weight by grader; they sum to 1."""


def grade(answer: DraftAnswer, task_input: DraftGraphInput, labels: Labels | None = None) -> QualityScore:
    """The weighted quality score of an answer, the same in service and evaluator.

    Args:
        answer: a stabilised answer, valid or not.
        task_input: the request it answers.
        labels: what a good answer must hold; None measures against what is extracted from the brief.
    """
    wanted = extracted_labels(task_input.brief) if labels is None else labels
    basis = ScoreBasis.EXTRACTED if labels is None else ScoreBasis.LABELLED
    return weighted_score(GRADERS, Subject(answer=answer, task_input=task_input, wanted=wanted), basis)
