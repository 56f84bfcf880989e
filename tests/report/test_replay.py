"""Cascades replayed from recorded answers: costs, times and tiers by hand; no support is no figure."""

from dataclasses import replace
from decimal import Decimal

import pytest

from harness.records import RequestStatus, RunKind, Tier, tier_of
from harness.report.comparable import NamedSide
from harness.report.frontier import frontier_report
from harness.report.replay import replay_rows, replayed_cascades
from harness.report.savings import SavingsSide
from tests.judged_rows import JudgedRun, request

RUN = JudgedRun(kind=RunKind.EVAL)


def side(name, cost, latency, scores):
    rows = [
        replace(
            request(seq, latency),
            request_id=f"{name}-{seq}",
            strategy=name,
            case_id=f"case-{seq}",
            draft_cost_usd=Decimal(cost),
            cost_usd=Decimal(cost),
            quality_score=score,
            quality_tier=tier_of(score),
        )
        for seq, score in enumerate(scores)
    ]
    return SavingsSide(run=RUN, strategy=name, requests=rows, calls=())


def named(*sides):
    return [NamedSide(name=found.strategy, side=found) for found in sides]


CHEAP = side("cheap", "0.001", 1000.0, [1.0, 0.0, 1.0, 0.0])
DEAR = side("dear", "0.01", 3000.0, [1.0, 1.0, 0.0, 0.0])


def test_a_cascade_by_hand():
    (found,) = replayed_cascades(named(DEAR, CHEAP))
    # cases 1 and 3 fall short: asked again, at 0.011 and 4 s; 1 becomes right, 3 stays wrong; 2 stays right
    assert (found.first, found.then) == ("cheap", "dear")
    assert found.escalated.value == 0.5
    assert found.figures.cost_per_request.value == pytest.approx((2 * 0.001 + 2 * 0.011) / 4)
    assert found.figures.tiers[Tier.HIGH].value == 0.75
    assert sorted(row.latency_ms for row in found.side.requests) == [1000, 1000, 4000, 4000]
    assert found.saving.value == pytest.approx(1 - 0.006 / 0.01)
    assert (found.supported, found.excluded) == (4, 0)
    assert replay_rows([found])[0][:2] == ("cheap", "dear")


def test_answers_without_a_partner_are_excluded_and_counted():
    shorter = replace(DEAR, requests=DEAR.requests[1:])
    ungraded = [replace(row, quality_score=None, quality_tier=None) for row in CHEAP.requests[:2]]
    patchy = replace(CHEAP, requests=[*ungraded, *CHEAP.requests[2:]])
    (found,) = replayed_cascades(named(patchy, shorter))
    assert (found.supported, found.excluded) == (2, 4 + 3 - 4)
    elsewhere = replace(DEAR, requests=[replace(row, case_id=f"x{row.case_id}") for row in DEAR.requests])
    assert replayed_cascades(named(CHEAP, elsewhere)) == ()


def test_an_unknown_cost_stays_unknown():
    rows = [replace(row, cost_usd=None, draft_cost_usd=None) for row in DEAR.requests[:2]]
    (found,) = replayed_cascades(named(CHEAP, replace(DEAR, requests=[*rows, *DEAR.requests[2:]])))
    assert found.figures.unpriced == 1  # case 1 escalates into the unknown; case 0 never asks
    free = [replace(row, cost_usd=None, draft_cost_usd=None) for row in DEAR.requests]
    assert replayed_cascades(named(CHEAP, replace(DEAR, requests=free))) == ()


def test_a_second_answer_that_failed_leaves_the_first():
    broken = replace(DEAR.requests[1], status=RequestStatus.ERROR, latency_ms=None, quality_score=None)
    rows = [DEAR.requests[0], broken, *DEAR.requests[2:]]
    (found,) = replayed_cascades(named(CHEAP, replace(DEAR, requests=rows)))
    assert found.figures.ok == 4
    assert found.figures.tiers[Tier.HIGH].value == 0.5
    assert found.figures.requests - found.figures.p95.n == 1  # its time is unknown, not short


def test_replays_stand_on_the_frontier_only_when_asked_and_by_name():
    cheap = side("cheap", "0.001", 1000.0, [1.0, 0.0, 1.0, 0.0] * 10)
    dear = side("dear", "0.01", 3000.0, [1.0, 1.0, 0.0, 0.0] * 10)
    assert len(frontier_report([cheap, dear]).places) == 2
    report = frontier_report([cheap, dear], replay=True)
    assert [place.name for place in report.places] == ["cheap", "dear", "what if: cheap then dear"]
    assert any("never wrong" in note for note in report.notes)
    names = {place.name: place.standing for place in report.places}
    assert names["what if: cheap then dear"].on_frontier


def test_a_recommended_what_if_is_never_certain():
    scores = [1.0] * 95 + [0.0] * 5
    cheap = side("cheap", "0.001", 1000.0, [0.0] * 20 + [1.0] * 80)
    dear = side("dear", "0.02", 1000.0, scores)
    report = frontier_report([cheap, dear], replay=True)
    assert report.recommendation.name == "what if: cheap then dear"
    assert not report.recommendation.certain
    assert "nobody has run it" in report.recommendation.sentence
