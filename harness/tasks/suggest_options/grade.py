"""The quality score of suggested options: 0.30 schema + 0.25 distinctness + 0.30 coverage + 0.15 substance.

- schema: high when no rule is broken; each different broken rule costs half.
- distinctness: high when the options differ in what they propose and argue; low when one idea is reworded.
- coverage: high when the figures of goal and constraints (or the label's options and figures) are taken up;
  low when they are ignored. With nothing to take up it is unknown, and the others share its weight.
- substance: high when every pro, con and piece of evidence says something of its own in several words; low
  when the same line is copied from option to option.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from harness.records import ScoreBasis
from harness.tasks.base import Labels, QualityScore
from harness.tasks.language.extraction import extracted_figures
from harness.tasks.language.figures import missing_figures
from harness.tasks.language.matching import options_held
from harness.tasks.language.wording import key_stems
from harness.tasks.suggest_options.answer import POINT_LISTS, SuggestedOption, Suggestions
from harness.tasks.suggest_options.prompts import SuggestOptionsInput
from harness.tasks.suggest_options.rules import violations_of

WEIGHTS: Mapping[str, float] = {"schema": 0.30, "distinctness": 0.25, "coverage": 0.30, "substance": 0.15}
"""Weight by grader; they sum to 1."""

BROKEN_RULE_COST = 0.5
FREE_OVERLAP = 0.5
"""Options about one goal share words: overlap up to this costs nothing."""

MIN_POINT_STEMS = 2


def grade(answer: Suggestions, task_input: SuggestOptionsInput, labels: Labels | None = None) -> QualityScore:
    """The weighted quality score of an answer, the same in service and evaluator."""
    wanted = labels or Labels(figures=extracted_figures(task_input.text))
    texts = [_whole_text(option) for option in answer.options]
    held = options_held(texts, wanted.options)
    lost = [option for index, option in enumerate(wanted.options) if index not in held]
    lost_figures = missing_figures(" ; ".join(texts), wanted.figures)
    items = len(wanted.options) + len(wanted.figures)
    codes = {violation.code for violation in violations_of(answer)}
    parts = {
        "schema": max(0.0, 1 - BROKEN_RULE_COST * len(codes)),
        "distinctness": distinctness(texts),
        "coverage": 1 - (len(lost) + len(lost_figures)) / items if items else None,
        "substance": substance(answer.options),
    }
    known = {name: part for name, part in parts.items() if part is not None}
    weight = sum(WEIGHTS[name] for name in known)
    return QualityScore(
        score=round(sum(WEIGHTS[name] * part for name, part in known.items()) / weight, 6),
        basis=ScoreBasis.EXTRACTED if labels is None else ScoreBasis.LABELLED,
        parts=known,
        detail={
            "violations": sorted(codes),
            "coverage_items": items,
            "missing_options": lost,
            "missing_figures": list(lost_figures),
        },
    )


def _whole_text(option: SuggestedOption) -> str:
    return " ; ".join([option.title, *(point for name in POINT_LISTS for point in option.points(name))])


def distinctness(texts: Sequence[str]) -> float:
    """1 minus the worst pair's overlap beyond what one goal explains, 0..1; 0 below two options."""
    if len(texts) < 2:
        return 0.0
    stems = [key_stems(text) for text in texts]
    worst = max(len(a & b) / len(a | b) if a | b else 1.0 for a, b in combinations(stems, 2))
    return 1 - max(0.0, worst - FREE_OVERLAP) / (1 - FREE_OVERLAP)


def substance(options: Sequence[SuggestedOption]) -> float:
    """Share of points that say something in two telling words or more and stand nowhere else; 0 for none."""
    points = [key_stems(point) for option in options for name in POINT_LISTS for point in option.points(name)]
    own = [stems for stems in points if len(stems) >= MIN_POINT_STEMS and points.count(stems) == 1]
    return len(own) / len(points) if points else 0.0
