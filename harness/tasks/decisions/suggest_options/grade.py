"""The quality score of suggested options: 0.30 schema + 0.25 distinctness + 0.30 coverage + 0.15 substance.

The graders, what scores high and what low:

- schema: an answer that breaks no rule; each different broken rule costs half.
- distinctness: options that differ in what they propose and argue; low when one idea is reworded.
- coverage: the figures of goal and constraints (or the label's options and figures) are taken up; low when
  they are ignored. With nothing to take up it is unknown, and the others share its weight.
- substance: every pro, con and piece of evidence says something of its own in several words; low when the
  same line is copied from option to option.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from harness.records import ScoreBasis
from harness.tasks.base import Labels, QualityScore
from harness.tasks.decisions.language.extraction import extracted_figures
from harness.tasks.decisions.language.figures import missing_figures
from harness.tasks.decisions.language.matching import options_held
from harness.tasks.decisions.language.wording import key_stems
from harness.tasks.decisions.suggest_options.answer import POINT_LISTS, SuggestedOption, Suggestions
from harness.tasks.decisions.suggest_options.prompts import SuggestOptionsInput
from harness.tasks.decisions.suggest_options.rules import violations_of
from harness.tasks.grading import Grader, Part, schema_part, weighted_score

FREE_OVERLAP = 0.5
"""Options about one goal share words: overlap up to this costs nothing."""

MIN_POINT_STEMS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the graders look at: an answer and what it should hold."""

    answer: Suggestions
    wanted: Labels

    @property
    def texts(self) -> list[str]:
        """Each option with all its points as one text."""
        return [
            " ; ".join([option.title, *(point for name in POINT_LISTS for point in option.points(name))])
            for option in self.answer.options
        ]


def _schema(subject: Subject) -> Part:
    return schema_part(violations_of(subject.answer))


def _distinctness(subject: Subject) -> Part:
    """1 minus the worst pair's overlap beyond what one goal explains; 0 below two options."""
    stems = [key_stems(text) for text in subject.texts]
    if len(stems) < 2:
        return Part(score=0.0)
    worst = max(len(a & b) / len(a | b) if a | b else 1.0 for a, b in combinations(stems, 2))
    return Part(score=1 - max(0.0, worst - FREE_OVERLAP) / (1 - FREE_OVERLAP))


def _coverage(subject: Subject) -> Part:
    wanted, texts = subject.wanted, subject.texts
    held = options_held(texts, wanted.options)
    lost = [option for index, option in enumerate(wanted.options) if index not in held]
    lost_figures = missing_figures(" ; ".join(texts), wanted.figures)
    items = len(wanted.options) + len(wanted.figures)
    return Part(
        score=1 - (len(lost) + len(lost_figures)) / items if items else None,
        detail={"coverage_items": items, "missing_options": lost, "missing_figures": list(lost_figures)},
    )


def _substance(subject: Subject) -> Part:
    return Part(score=substance(subject.answer.options))


def substance(options: Sequence[SuggestedOption]) -> float:
    """Share of points that say something in two telling words or more and stand nowhere else; 0 for none."""
    points = [key_stems(point) for option in options for name in POINT_LISTS for point in option.points(name)]
    own = [stems for stems in points if len(stems) >= MIN_POINT_STEMS and points.count(stems) == 1]
    return len(own) / len(points) if points else 0.0


GRADERS: tuple[Grader[Subject], ...] = (
    Grader(name="schema", weight=0.30, grade=_schema),
    Grader(name="distinctness", weight=0.25, grade=_distinctness),
    Grader(name="coverage", weight=0.30, grade=_coverage),
    Grader(name="substance", weight=0.15, grade=_substance),
)
"""The graders behind the score."""

WEIGHTS: Mapping[str, float] = {grader.name: grader.weight for grader in GRADERS}
"""Weight by grader; they sum to 1."""


def grade(answer: Suggestions, task_input: SuggestOptionsInput, labels: Labels | None = None) -> QualityScore:
    """The weighted quality score of an answer, the same in service and evaluator.

    Args:
        answer: valid or not.
        task_input: the request it answers.
        labels: what a good answer must take up; None measures against the figures of goal and constraints.
    """
    wanted = Labels(figures=extracted_figures(task_input.text)) if labels is None else labels
    basis = ScoreBasis.EXTRACTED if labels is None else ScoreBasis.LABELLED
    return weighted_score(GRADERS, Subject(answer=answer, wanted=wanted), basis)
