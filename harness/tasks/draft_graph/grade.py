"""The quality score: 0.30 schema and caps + 0.20 topology + 0.40 coverage + 0.10 provenance.

Each grader stands in a module of its own, which says what scores high and what low. When the brief puts
nothing on the table (no option, no figure), coverage is unknown, not perfect: the other graders share its
weight in proportion, and the score's detail says so.
"""

from collections.abc import Mapping, Sequence

from harness.records import ScoreBasis
from harness.tasks.base import Labels, QualityScore, Violation
from harness.tasks.draft_graph.coverage import coverage
from harness.tasks.draft_graph.graph import DraftAnswer
from harness.tasks.draft_graph.grounding import provenance_score
from harness.tasks.draft_graph.prompts import DraftGraphInput
from harness.tasks.draft_graph.topology import topology
from harness.tasks.draft_graph.validate import violations_of
from harness.tasks.language.extraction import extracted_labels

WEIGHTS: Mapping[str, float] = {"schema": 0.30, "topology": 0.20, "coverage": 0.40, "provenance": 0.10}
"""Weight by grader; they sum to 1."""

BROKEN_RULE_COST = 0.5
"""What each different broken rule takes from the schema grade: an answer that breaks any is never high."""


def grade(answer: DraftAnswer, task_input: DraftGraphInput, labels: Labels | None = None) -> QualityScore:
    """The weighted quality score of an answer, the same in service and evaluator.

    Args:
        answer: a stabilised answer, valid or not.
        task_input: the request it answers.
        labels: what a good answer must hold; None measures against what is extracted from the brief.
    """
    basis = ScoreBasis.EXTRACTED if labels is None else ScoreBasis.LABELLED
    wanted = extracted_labels(task_input.brief) if labels is None else labels
    violations = violations_of(answer)
    shape = topology(answer.graph)
    held = coverage(answer.graph, wanted.options, wanted.figures)
    sources = [task_input.brief, *(document.text for document in task_input.attachments)]
    parts = {
        "schema": schema_score(violations),
        "topology": shape.score,
        "coverage": held.share,
        "provenance": provenance_score(answer.graph, sources),
    }
    known = {name: part for name, part in parts.items() if part is not None}
    weight = sum(WEIGHTS[name] for name in known)
    return QualityScore(
        score=round(sum(WEIGHTS[name] * part for name, part in known.items()) / weight, 6),
        basis=basis,
        parts=known,
        detail={
            "violations": sorted({violation.code for violation in violations}),
            "topology": dict(shape.parts),
            "findings": list(shape.findings),
            "coverage_items": held.wanted,
            "missing_options": list(held.missing_options),
            "missing_figures": list(held.missing_figures),
        },
    )


def schema_score(violations: Sequence[Violation]) -> float:
    """1 for a valid answer; each different rule broken costs half, however often it is broken."""
    return max(0.0, 1 - BROKEN_RULE_COST * len({violation.code for violation in violations}))
