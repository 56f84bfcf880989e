"""`--stop-early`: ends an evaluation as soon as every comparison with the first strategy is settled.

Two claims are held against each further strategy: its score is not worse by more than 2 points, and it is
cheaper by at least 10%. Cases come in a shuffled order, each with all its strategies and repeats, and are
looked at in that order, however they finish: neither the quick nor the easy decide.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from harness.analysis.paired_sequential import PairedVerdict, paired_verdict
from harness.evaluation.plan import Unit
from harness.records import Request, RequestStatus

ALPHA = 0.05
"""Chance that any verdict of the run is wrong, at most; shared among all claims (Bonferroni)."""
MARGIN = 0.02
CHEAPER = Decimal("0.9")


class Claim(StrEnum):
    """What is asked of a strategy beside the first."""

    NOT_WORSE = "not worse by more than 2 points"
    CHEAPER = "cheaper by at least 10%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """One claim, and where its test stands."""

    strategy: str
    claim: Claim
    verdict: PairedVerdict

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        seen, sure = f"{self.verdict.pairs:,} cases", f"error at most {self.verdict.alpha:.2%}"
        if self.verdict.holds is None:
            return f"{self.strategy}: whether it is {self.claim} is open after {seen}"
        said = self.claim if self.verdict.holds else _OPPOSITE[self.claim]
        return f"{self.strategy} is {said} than the first ({seen}, {sure})"


_OPPOSITE = {
    Claim.NOT_WORSE: "worse by more than 2 points",
    Claim.CHEAPER: "not cheaper by 10%",
}


class EarlyStop:
    """The tests of one evaluation.

    Args:
        strategies: their names; the first is the one compared with.
        cases: the ids of the cases, in the order in which they are asked.
        repeats: of each case and strategy.
        most_usd: the most that a request of each strategy can cost, known beforehand.
    """

    def __init__(
        self, strategies: Sequence[str], cases: Sequence[str], repeats: int, most_usd: Mapping[str, Decimal]
    ) -> None:
        self._first, *self._others = strategies
        self._cases = cases
        self._needed = repeats * len(strategies)
        self._most_usd = most_usd
        self._rows: dict[str, dict[str, list[Request]]] = {}
        self._next = 0
        self._scores: dict[str, list[float]] = {name: [] for name in self._others}
        self._savings: dict[str, list[float]] = {name: [] for name in self._others}
        self.verdicts: tuple[Settled, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is open any more."""
        return bool(self.verdicts) and all(one.verdict.holds is not None for one in self.verdicts)

    def take(self, unit: Unit, request: Request) -> bool:
        """A unit's end; whether everything is settled by now."""
        rows = self._rows.setdefault(unit.case.case_id, {})
        rows.setdefault(unit.strategy.name, []).append(request)
        before = self._next
        while self._next < len(self._cases) and self._is_complete(self._cases[self._next]):
            self._look_at(self._rows.pop(self._cases[self._next]))
            self._next += 1
        if self._next > before and not self.is_settled:
            self.verdicts = tuple(one for name in self._others for one in self._judged(name))
        return self.is_settled

    def _is_complete(self, case: str) -> bool:
        return sum(map(len, self._rows.get(case, {}).values())) == self._needed

    def _look_at(self, rows: Mapping[str, Sequence[Request]]) -> None:
        first = rows[self._first]
        for name in self._others:
            scores = _mean_score(first), _mean_score(rows[name])
            if None not in scores:
                self._scores[name].append((scores[1] or 0.0) - (scores[0] or 0.0))
            costs = _mean_usd(first, self._most_usd[self._first]), _mean_usd(rows[name], self._most_usd[name])
            if None not in costs:
                self._savings[name].append(float(CHEAPER * (costs[0] or 0) - (costs[1] or 0)))

    def _judged(self, name: str) -> tuple[Settled, Settled]:
        alpha = ALPHA / (2 * len(self._others))
        score = paired_verdict(self._scores[name], margin=-MARGIN, low=-1.0, high=1.0, alpha=alpha)
        low, high = -float(self._most_usd[name]), float(CHEAPER * self._most_usd[self._first])
        saving = paired_verdict(self._savings[name], margin=0.0, low=low, high=high, alpha=alpha)
        return (
            Settled(strategy=name, claim=Claim.NOT_WORSE, verdict=score),
            Settled(strategy=name, claim=Claim.CHEAPER, verdict=saving),
        )

    def summary(self, *, asked: int, planned: int) -> dict[str, Any]:
        """What the run's record says of it."""
        return {
            "error_at_most": ALPHA,
            "settled": self.is_settled,
            "saved_requests": planned - asked,
            "saved_ratio": 1 - asked / planned if planned else None,
            "claims": [
                {
                    "strategy": one.strategy,
                    "claim": one.claim.value,
                    "holds": one.verdict.holds,
                    "cases": one.verdict.pairs,
                }
                for one in self.verdicts
            ],
        }


def _mean_score(rows: Sequence[Request]) -> float | None:
    """Over a case's repeats; a request that failed counts 0; None with an answer that nobody could grade."""
    scores = [row.quality_score if row.status is RequestStatus.OK else 0.0 for row in rows]
    return None if None in scores else math.fsum(score or 0.0 for score in scores) / len(scores)


def _mean_usd(rows: Sequence[Request], most_usd: Decimal) -> Decimal | None:
    """Over a case's repeats, each at most its worst case; None where a cost is unknown."""
    costs = [row.cost_usd for row in rows]
    if None in costs:
        return None
    return sum((min(cost or Decimal(0), most_usd) for cost in costs), Decimal(0)) / len(costs)
