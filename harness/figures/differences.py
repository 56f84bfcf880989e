# ruff: noqa: S608 - names come from declarations, values are bound
"""B against A, figure by figure: case by case where both have the same cases, else from each side's interval.

One rule for every comparing surface: runs, strategies, providers, models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.estimate import (
    DEFAULT_CONFIDENCE,
    Estimate,
    no_estimate,
    simultaneous_confidence,
)
from harness.analysis.moments import moments_of
from harness.analysis.quantile import DEPENDENT
from harness.analysis.shift import (
    MOST_RESAMPLED,
    CaseLatencies,
    Shift,
    holm_decided,
    paired_means,
    recovered,
    resampled_shifts,
    saving_between,
    saving_from,
    with_resampled,
)
from harness.figures.catalogue import figure_named
from harness.figures.declaration import Better, Custom, Figure, Mean, Quantile, Share
from harness.figures.measure import Figures, measure_all
from harness.figures.ranking import Ranking
from harness.figures.selection import Rows
from harness.figures.sides import Comparability, Side
from harness.figures.sums import Term, term_of

COMPARED = (
    "p50_latency",
    "p95_latency",
    "p99_latency",
    "error_ratio",
    "cost_per_request",
    "quality_score",
    "high_tier",
)
"""What a comparison shows unless told otherwise, in reading order."""

MIN_SHARED_CASES = 10
"""Fewer shared cases than this say too little about the spread between cases: two sets are compared whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one figure of B differs from A's.

    Attributes:
        figure: its declaration.
        shift: both figures and their difference.
        note: why something is missing, or what was left out.
    """

    figure: Figure
    shift: Shift
    note: str | None = None

    @property
    def worse(self) -> bool:
        """Significantly worse."""
        return self.shift.significant and self._direction < 0

    @property
    def better(self) -> bool:
        """Significantly better."""
        return self.shift.significant and self._direction > 0

    @property
    def _direction(self) -> int:
        """1 when B is the better one, -1 when A is, 0 where neither is or it is not known."""
        if self.shift.change.value is None or self.figure.better is Better.NEITHER:
            return 0
        up = self.shift.change.value > 0
        return 1 if up is (self.figure.better is Better.MORE) else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All figures of B against A.

    Attributes:
        cases: that both have and are compared; 0 when the two were compared unpaired.
        cases_left_out: that only one of them has.
        saving: 1 - B / A of the cost per request.
    """

    found: tuple[Difference, ...]
    cases: int
    cases_left_out: int
    saving: Estimate

    def named(self, name: str) -> Difference | None:
        """The difference of that figure."""
        return next((one for one in self.found if one.figure.name == name), None)


class Pair:
    """Two selections side by side, ready to be compared at any confidence.

    Args:
        a: what B is held against.
        b: of the same snapshot, or of another one.
        figures: names of figures.
    """

    def __init__(self, a: Rows, b: Rows, figures: Sequence[str] = COMPARED) -> None:
        self._whole = (a, b)
        self.figures = tuple(figure_named(name) for name in figures)
        self._rankings: dict[tuple[str, str], tuple[Ranking, Ranking]] = {}
        self._drawn: dict[tuple[str, str], dict[float, NDArray[np.float64]]] = {}

    @cached_property
    def cases(self) -> tuple[int, int]:
        """Cases that both have, and that only one has; (0, 0) where too few are shared for pairs.

        Two sides of the same cases are pairs however few they are.
        """
        a, b = (case_keys(side) for side in self._whole)
        shared = np.intersect1d(a, b).size
        left_out = a.size + b.size - 2 * shared
        return (shared, left_out) if shared >= (MIN_SHARED_CASES if left_out else 2) else (0, 0)

    @cached_property
    def _sides(self) -> tuple[Rows, Rows]:
        """Both, restricted to the shared cases where there are pairs."""
        if not self.cases[1]:
            return self._whole
        a, b = self._whole
        shared = np.intersect1d(case_keys(a), case_keys(b))
        return a.of_cases(shared), b.of_cases(shared)

    def shifts(self, confidence: float = DEFAULT_CONFIDENCE) -> list[Shift]:
        """The differences in the order of `figures`, each interval at the confidence by itself."""
        return [self._shift(figure, confidence) for figure in self.figures]

    def differences(self, confidence: float = DEFAULT_CONFIDENCE) -> Differences:
        """Every figure, each interval at the confidence by itself."""
        return self.named(self.shifts(confidence), confidence)

    def named(self, shifts: Sequence[Shift], confidence: float = DEFAULT_CONFIDENCE) -> Differences:
        """The shifts with their figures."""
        found = tuple(
            Difference(figure=figure, shift=shift, note=_note(shift))
            for figure, shift in zip(self.figures, shifts, strict=True)
        )
        shared, left_out = self.cases
        return Differences(found=found, cases=shared, cases_left_out=left_out, saving=self.saving(confidence))

    def saving(self, confidence: float = DEFAULT_CONFIDENCE, name: str = "cost_per_request") -> Estimate:
        """1 - B / A of a mean cost."""
        if self.cases[0]:
            a, b = self._case_means(name)
            return saving_from(moments_of(b, of=a), confidence=confidence)
        sides = [side.get(name) for side in self._plain(confidence)]
        if sides[0] is None or sides[1] is None:
            return no_estimate("ratio_delta", confidence=confidence)
        return saving_between(sides[0], sides[1])

    def _shift(self, figure: Figure, confidence: float) -> Shift:
        if isinstance(figure.rule, Quantile):
            return self._quantile_shift(figure.rule, confidence)
        if isinstance(figure.rule, Share | Mean) and self.cases[0]:
            a, b = self._case_means(figure.name)
            shift = paired_means(moments_of(a), moments_of(b), moments_of(b - a), confidence=confidence)
            flat = shift.change.low is not None and shift.change.low == shift.change.high
            if not (isinstance(figure.rule, Share) and flat):
                return shift
        # the sides' own intervals; also where no case shows any spread in a share
        sides = [
            side.get(figure.name) or no_estimate("none", confidence=confidence)
            for side in self._plain(confidence)
        ]
        return recovered(*sides, method="none" if isinstance(figure.rule, Custom) else "recovered")

    @cache  # noqa: B019 - a pair lives for one comparison
    def _plain(self, confidence: float) -> tuple[Figures, Figures]:
        """Each side's own figures, percentiles apart."""
        wanted = [figure for figure in self.figures if not isinstance(figure.rule, Quantile)]
        if not any(figure.name == "cost_per_request" for figure in wanted):
            wanted.append(figure_named("cost_per_request"))
        a, b = (measure_all(side, wanted, confidence=confidence) for side in self._sides)
        return a, b

    def changes(self, name: str) -> NDArray[np.float64]:
        """B minus A of a figure, case by case; empty where the two are compared whole."""
        if not self.cases[0]:
            return np.empty(0)
        a, b = self._case_means(name)
        return b - a

    def _case_means(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean of a figure's values by case on both sides, over the cases known to both."""
        a, b = (side[name] for side in self._means)
        known = np.isfinite(a) & np.isfinite(b)
        return a[known], b[known]

    @cached_property
    def _means(self) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
        """By figure the mean of each shared case, in one order; not a number where it is unknown."""
        figures = {figure.name: figure for figure in (*self.figures, figure_named("cost_per_request"))}
        terms = {
            name: term_of(figure.rule)
            for name, figure in figures.items()
            if isinstance(figure.rule, Share | Mean)
        }
        a, b = (_means_by_case(side, terms) for side in self._sides)
        return a, b

    def _quantile_shift(self, rule: Quantile, confidence: float) -> Shift:
        rankings = self._ranking(rule)
        sides = self._percentiles(rule, confidence)
        plain = recovered(*sides)
        if self._sides[0].clock != self._sides[1].clock and rule.ms == "ms":
            other = no_estimate("other_clock", confidence=confidence)
            return Shift(a=plain.a, b=plain.b, change=other, paired=False)
        samples = [(ranking.samples() or {}).get("all") for ranking in rankings]
        few = all(sample is not None and sample.n <= MOST_RESAMPLED for sample in samples)
        calm = all(side.method != DEPENDENT for side in sides)
        bounded = plain.change.low is not None and plain.change.high is not None
        whole = not any(side.unknown for side in sides)
        enough = self.cases[0] >= MIN_SHARED_CASES
        if not (enough and few and calm and bounded and whole):
            return plain
        return with_resampled(plain, self._resampled(rule)[rule.q], self.cases[0])

    def _resampled(self, rule: Quantile) -> dict[float, NDArray[np.float64]]:
        """Shifts of every percentile of one duration, drawn once for all confidences."""
        key = (rule.ms, rule.of)
        if key not in self._drawn:
            self._drawn[key] = resampled_shifts(*_case_latencies(self._sides, rule), self._quantiles(rule))
        return self._drawn[key]

    def _quantiles(self, rule: Quantile) -> list[float]:
        """All that are asked of one duration."""
        return [f.rule.q for f in self.figures if isinstance(f.rule, Quantile) and f.rule.ms == rule.ms]

    def _percentiles(self, rule: Quantile, confidence: float) -> tuple[Estimate, Estimate]:
        """The percentile on both sides; all of one duration are asked for together."""
        quantiles = self._quantiles(rule)
        none = (no_estimate("none", confidence=confidence),) * len(quantiles)
        a, b = (
            ranking.estimates(quantiles, confidence=confidence).get("all", none)
            for ranking in self._ranking(rule)
        )
        place = quantiles.index(rule.q)
        return a[place], b[place]

    def _ranking(self, rule: Quantile) -> tuple[Ranking, Ranking]:
        key = (rule.ms, rule.of)
        if key not in self._rankings:
            a, b = self._sides
            self._rankings[key] = (Ranking(a, "all", rule), Ranking(b, "all", rule))
        return self._rankings[key]


def compared_sides(
    a: Side, b: Side, between: Comparability, *, confidence: float = DEFAULT_CONFIDENCE
) -> Differences:
    """B against A as far as they are comparable; latencies that are not are left out."""
    names = [
        name
        for name in COMPARED
        if between.latency is None or not isinstance(figure_named(name).rule, Quantile)
    ]
    (found,) = compared(a.rows, [b.rows], names, confidence=confidence)
    return found


def compared(
    first: Rows,
    others: Sequence[Rows],
    figures: Sequence[str] = COMPARED,
    *,
    confidence: float = DEFAULT_CONFIDENCE,
) -> list[Differences]:
    """Every other side against the first; all verdicts of all of them hold together.

    Differences by Holm's procedure, savings by Bonferroni's.

    Args:
        first: what the others are held against.
        others: each compared with the first by itself.
        figures: names of figures.
        confidence: of all verdicts together.
    """
    pairs = [Pair(first, other, figures) for other in others]

    def at(level: float) -> list[Shift]:
        return [shift for pair in pairs for shift in pair.shifts(level)]

    decided = holm_decided(at, confidence)
    each, savings_at = len(figures), simultaneous_confidence(confidence, max(1, len(pairs)))
    return [
        pair.named(decided[place * each : (place + 1) * each], savings_at) for place, pair in enumerate(pairs)
    ]


def _note(shift: Shift) -> str | None:
    if shift.change.method == "other_clock":
        return "one side's latencies are client-side, the other's server-side"
    if shift.change.value is None:
        return "unknown in one of the two, too few requests, or among failures"
    return None


def case_keys(rows: Rows) -> NDArray[np.uint64]:
    """The cases of a selection as sorted hashes; the same case has the same one in any snapshot."""
    found = rows.view.columns(
        f"""{rows.ctes} SELECT DISTINCT hash(case_id) AS own FROM counted
        WHERE case_id IS NOT NULL ORDER BY own""",
        rows.values,
    )
    return np.asarray(found["own"], dtype=np.uint64)


def _means_by_case(rows: Rows, terms: Mapping[str, Term]) -> dict[str, NDArray[np.float64]]:
    columns = ", ".join(
        f"avg(({term.known_u})::DOUBLE) AS m{place}" for place, term in enumerate(terms.values())
    )
    found = rows.view.columns(
        f"""{rows.ctes} SELECT hash(case_id) AS own, {columns} FROM counted WHERE case_id IS NOT NULL
        GROUP BY own ORDER BY own""",
        rows.values,
    )
    return {
        name: np.ma.filled(np.ma.asarray(found[f"m{place}"], dtype=np.float64), np.nan)
        for place, name in enumerate(terms)
    }


def _case_latencies(sides: tuple[Rows, Rows], rule: Quantile) -> tuple[CaseLatencies, CaseLatencies]:
    """Both sides' latencies of the shared cases, with the same numbers for the same cases."""
    ms = f"CASE WHEN status <> 'ok' THEN 'inf'::DOUBLE WHEN {rule.of} THEN {rule.ms} END"
    tables = [
        side.view.columns(
            f"{side.ctes} SELECT hash(case_id) AS own, {ms} AS ms FROM counted WHERE case_id IS NOT NULL",
            side.values,
        )
        for side in sides
    ]
    shared = np.intersect1d(tables[0]["own"], tables[1]["own"])
    found: list[Any] = []
    for table in tables:
        kept = np.isin(table["own"], shared)
        found.append(
            CaseLatencies(
                ms=np.asarray(table["ms"], dtype=np.float64)[kept],
                cases=np.searchsorted(shared, table["own"][kept]),
            )
        )
    return found[0], found[1]
