"""What each grader says of a selection, by strategy: mean score and share passed, clustered by case."""

from dataclasses import dataclass

from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.moments import score_estimate, share_estimate
from harness.figures.selection import Rows
from harness.figures.sums import Term, clustered_moments

_GRADED = """(SELECT g.grader, g.score, g.passed, c.strategy, c.case_id
    FROM grades g JOIN counted c USING (run_id, request_id))"""
_GROUP = "grader || chr(31) || coalesce(strategy, 'unknown')"
_SCORE = Term(u="score", v=None, of="TRUE")
_PASSED = Term(u="passed", v=None, of="passed IS NOT NULL", hit=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraderFigures:
    """One grader over one strategy; where it failed itself (`score.unknown`) it is never read as 0."""

    grader: str
    strategy: str
    score: Estimate
    passed: Estimate


def grader_figures(rows: Rows, *, confidence: float = DEFAULT_CONFIDENCE) -> tuple[GraderFigures, ...]:
    """The graders of a selection, by name and strategy; empty where nothing was graded."""
    found = clustered_moments(rows, _GROUP, (_SCORE, _PASSED), "case_id", source=_GRADED)
    figures = []
    for key, (score, passed) in sorted(found.items()):
        grader, _, strategy = key.partition("\x1f")
        figures.append(
            GraderFigures(
                grader=grader,
                strategy=strategy,
                score=score_estimate(score, confidence=confidence),
                passed=share_estimate(passed, confidence=confidence),
            )
        )
    return tuple(figures)
