"""Cascades that nobody ran, replayed: the cheaper way first, the other where its answer falls short.

Both ways must have answered the case; pairs without that support are excluded and counted.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from harness.analysis.cluster import clustered_share
from harness.analysis.interval import DEFAULT_CONFIDENCE, Estimate
from harness.analysis.sample import case_of, counted, latency_sample, request_latency
from harness.analysis.savings import saving_ratio
from harness.records import LatencySource, Request, RequestStatus, Tier
from harness.records.kinds import HIGH_TIER_MIN_SCORE
from harness.report.comparable import NamedSide
from harness.report.evaluation import StrategyFigures, strategy_figures
from harness.report.evaluation_document import ms_cell, number_cell, percent_cell, quantile_json
from harness.report.savings import SavingsSide, cost_outcomes
from harness.report.savings_document import estimate_json

REPLAY_ASSUMPTION = (
    "the recorded score decides, so the checker is never wrong; a real one escalates too much or too little"
)
REPLAY_HEAD = (
    "ask first",
    "then",
    "escalated",
    "$ per request",
    "saved against the second alone",
    "p95, ms",
    "high tier",
    "cases, excluded",
)
MOST_WAYS = 12
"""Ways whose pairs are replayed; of more, the first so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One cascade, as it would have gone.

    Attributes:
        side: its requests, made of recorded ones.
        escalated: share of requests that went on to the second way.
        saving: against asking the second way alone, over the same cases.
        supported: pairs of answers to the same case and repeat.
        excluded: answers of either way without such a pair, or that nobody graded.
    """

    first: str
    then: str
    side: SavingsSide
    figures: StrategyFigures
    escalated: Estimate
    saving: Estimate
    supported: int
    excluded: int

    @property
    def name(self) -> str:
        """`gpt-4o-mini then gpt-4o`."""
        return cascade_name(self.first, self.then)


def cascade_name(first: str, then: str) -> str:
    """What a cascade is called."""
    return f"{first} then {then}"


def replayed_cascades(
    sides: Sequence[NamedSide],
    *,
    below_score: float = HIGH_TIER_MIN_SCORE,
    confidence: float = DEFAULT_CONFIDENCE,
) -> tuple[Replay, ...]:
    """Every cascade of two ways, the cheaper one first, cheapest cascade first.

    Args:
        sides: comparable ones; a way of unknown cost takes no part.
        below_score: an answer that scores less, or failed, is asked again of the second way.
        confidence: of each interval, clustered by case.
    """
    priced = [(found, _mean_cost(found.side)) for found in sides[:MOST_WAYS]]
    known = sorted(((found, cost) for found, cost in priced if cost is not None), key=lambda pair: pair[1])
    answers = {found.name: _answers(found.side) for found, _ in known}
    replays = [
        replay
        for index, (first, _) in enumerate(known)
        for then, _ in known[index + 1 :]
        if (replay := _replay(first, then, answers, below_score, confidence)) is not None
    ]
    return tuple(sorted(replays, key=lambda found: found.figures.cost_per_request.value or float("inf")))


def replay_rows(replays: Sequence[Replay]) -> list[tuple[str, ...]]:
    """One line a cascade."""
    return [
        (
            found.first,
            found.then,
            percent_cell(found.escalated),
            number_cell(found.figures.cost_per_request, 6),
            percent_cell(found.saving),
            ms_cell(found.figures.p95),
            percent_cell(found.figures.tiers[Tier.HIGH]),
            f"{found.figures.cases:,}, {found.excluded:,}",
        )
        for found in replays
    ]


def replay_document(replays: Sequence[Replay]) -> dict[str, Any]:
    """The cascades as one JSON object."""
    return {
        "assumption": REPLAY_ASSUMPTION,
        "cascades": [
            {
                "first": found.first,
                "then": found.then,
                "escalated_ratio": estimate_json(found.escalated),
                "cost_per_request_usd": estimate_json(found.figures.cost_per_request),
                "saving_ratio": estimate_json(found.saving),
                "p95_ms": quantile_json(found.figures.p95),
                "high_tier_ratio": estimate_json(found.figures.tiers[Tier.HIGH]),
                "supported_requests": found.supported,
                "excluded_requests": found.excluded,
                "unpriced_requests": found.figures.unpriced,
            }
            for found in replays
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """One recorded answer; cost and latency are None when unknown."""

    row: Request
    cost_usd: Decimal | None
    latency_ms: float | None

    @property
    def failed(self) -> bool:
        return self.row.status is not RequestStatus.OK

    @property
    def graded(self) -> bool:
        """A failure needs no grade to be one."""
        return self.failed or self.row.quality_score is not None

    def falls_short(self, below_score: float) -> bool:
        return self.failed or (self.row.quality_score or 0.0) < below_score


_Key = tuple[str, int]
_Answers = dict[_Key, _Answer]


def _answers(side: SavingsSide) -> _Answers:
    """By case and how often it was asked before; requests without a case have no partner."""
    rows = counted(side.requests)
    source = latency_sample(rows).source
    asked: dict[str, int] = defaultdict(int)
    found: _Answers = {}
    for row, outcome in zip(rows, cost_outcomes(rows, side.calls), strict=True):
        if row.case_id is None:
            continue
        known = outcome.draft_usd is not None and outcome.repair_usd is not None
        found[row.case_id, asked[row.case_id]] = _Answer(
            row=row,
            cost_usd=(outcome.draft_usd or Decimal(0)) + (outcome.repair_usd or Decimal(0))
            if known
            else None,
            latency_ms=request_latency(row, source),
        )
        asked[row.case_id] += 1
    return found


def _mean_cost(side: SavingsSide) -> float | None:
    costs = [answer.cost_usd for answer in _answers(side).values() if answer.cost_usd is not None]
    return float(sum(costs, Decimal(0)) / len(costs)) if costs else None


def _replay(
    first: NamedSide, then: NamedSide, answers: dict[str, _Answers], below_score: float, confidence: float
) -> Replay | None:
    cheap, dear = answers[first.name], answers[then.name]
    keys = [key for key in cheap if key in dear and cheap[key].graded and dear[key].graded]
    if not keys:
        return None
    escalated = [cheap[key].falls_short(below_score) for key in keys]
    name = cascade_name(first.name, then.name)
    rows = [
        _joined(cheap[key], dear[key] if again else None, name)
        for key, again in zip(keys, escalated, strict=True)
    ]
    side = replace(then.side, strategy=name, requests=rows, calls=())
    return Replay(
        first=first.name,
        then=then.name,
        side=side,
        figures=strategy_figures(side, confidence=confidence),
        escalated=clustered_share(escalated, [case for case, _ in keys], confidence=confidence),
        saving=_saving([dear[key] for key in keys], rows, confidence),
        supported=len(keys),
        excluded=len(cheap) + len(dear) - 2 * len(keys),
    )


def _joined(cheap: _Answer, dear: _Answer | None, name: str) -> Request:
    """The request that the cascade would have been; the first answer stands where the second one failed."""
    used = cheap if dear is None or (dear.failed and not cheap.failed) else dear
    asked = [cheap] if dear is None else [cheap, dear]
    costs = [answer.cost_usd for answer in asked if answer.cost_usd is not None]
    times = [answer.latency_ms for answer in asked if answer.latency_ms is not None]
    cost_usd = sum(costs, Decimal(0)) if len(costs) == len(asked) else None
    latency_ms = sum(times) if len(times) == len(asked) else None
    return replace(
        used.row,
        strategy=name,
        request_id=cheap.row.request_id,
        latency_ms=latency_ms,
        server_ms=None,
        latency_source=None if latency_ms is None else LatencySource.CLIENT,
        cost_usd=cost_usd,
        draft_cost_usd=cost_usd,
        repair_cost_usd=None,
        unpriced=cost_usd is None,
    )


def _saving(dear: Sequence[_Answer], rows: Sequence[Request], confidence: float) -> Estimate:
    """Against the second way alone, over the answers whose cost is known in both."""
    alone: dict[str, list[float]] = {}
    together: dict[str, list[float]] = {}
    for answer, row in zip(dear, rows, strict=True):
        if answer.cost_usd is not None and row.cost_usd is not None:
            alone.setdefault(case_of(row), []).append(float(answer.cost_usd))
            together.setdefault(case_of(row), []).append(float(row.cost_usd))
    return saving_ratio(alone, together, confidence=confidence)
