"""Every mix that the recorded models make possible."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np

from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Cells, Source
from harness.strategies.checkers import (
    Checker,
    ConfidenceChecker,
    PerfectChecker,
    StatedChecker,
    ValidatorChecker,
)
from harness.strategies.policies import BestOf, Cascade, Fallback, Hedge, Policy, Single

CONFIDENCE_STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Quantiles of the recorded confidence that are tried as thresholds."""

HEDGE_STEPS = (0.5, 0.75, 0.9)
"""Quantiles of the first model's latency that are tried as delays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkers:
    """Which checkers cascades are tried with.

    Attributes:
        perfect: the bound that no real one passes.
        stated: error rates of a checker that one has or could have.
    """

    perfect: bool = True
    stated: Sequence[StatedChecker] = ()


def mixes(cells: Cells, checkers: Checkers | None = None, *, speed: float = 1.0) -> list[Policy]:
    """Singles with every repair model, cascades with every checker; of two models fallback, hedge, best.

    Args:
        cells: the recorded answers.
        checkers: of the cascades.
        speed: what the recorded latencies were divided by.
    """
    allowed = checkers or Checkers()
    found: list[Policy] = []
    for source in cells.sources:
        found += _singles(source, cells)
    cheap_first = {source.ref: place for place, source in enumerate(sorted(cells.sources, key=_cost))}
    for first, then in permutations(cells.sources, 2):
        if cheap_first[first.ref] < cheap_first[then.ref]:
            found += [
                Cascade(first=first.ref, then=then.ref, checker=checker, repair=repair)
                for repair in _repairers(then, cells)
                for checker in _checkers(first, allowed)
            ]
        if not first.ok.all():
            found.append(Fallback(first=first.ref, then=then.ref))
        found += [Hedge(first=first.ref, second=then.ref, after_ms=delay) for delay in _delays(first, speed)]
    for pair in combinations(sorted(cells.sources, key=_cost), 2):
        if not any(np.isnan(own.confidence).all() for own in pair):
            found.append(BestOf(refs=(pair[0].ref, pair[1].ref), pick_by="confidence"))
    return found


def _cost(source: Source) -> float:
    known = source.draft_usd[~np.isnan(source.draft_usd)]
    return float(known.mean()) if len(known) else np.inf


def _singles(source: Source, cells: Cells) -> Iterator[Single]:
    for repair in _repairers(source, cells):
        yield Single(draft=source.ref, repair=repair)


def _repairers(source: Source, cells: Cells) -> list[ModelRef | None]:
    """The source's own model and every model that repairs are recorded of; None where nobody repairs."""
    if not source.repaired.any():
        return [None]
    refs = [source.ref, *(own.repairer for own in cells.sources if own.repairer is not None)]
    return list(dict.fromkeys(refs))


def _checkers(source: Source, allowed: Checkers) -> list[Checker]:
    found: list[Checker] = list(allowed.stated)
    if source.repaired.any():
        found.append(ValidatorChecker())
    told = source.confidence[~np.isnan(source.confidence)]
    if len(told):
        found += [
            ConfidenceChecker(float(at)) for at in np.unique(np.quantile(told, CONFIDENCE_STEPS).round(3))
        ]
    if allowed.perfect and not np.isnan(source.score).all():
        found.append(PerfectChecker())
    return found


def _delays(source: Source, speed: float) -> list[float]:
    """Delays in whole tenths of a second, as a strategy file would name them."""
    told = source.draft_ms[source.ok & ~np.isnan(source.draft_ms)]
    if not len(told):
        return []
    return sorted({float(max(100.0, round(ms * speed, -2))) for ms in np.quantile(told, HEDGE_STEPS)})
