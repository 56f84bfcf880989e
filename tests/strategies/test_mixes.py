"""Mixes that nobody ran, from recorded drafts and repairs: costs, times and tiers by hand."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import yaml

from harness.errors import UsageError
from harness.figures.sides import comparable_sides
from harness.orchestration.strategy_file import load_strategy_file
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.records import RequestStatus, Role, tier_of
from harness.strategies.cells import load_cells
from harness.strategies.checkers import (
    ConfidenceChecker,
    PerfectChecker,
    ScoreChecker,
    StatedChecker,
    ValidatorChecker,
)
from harness.strategies.judging import quick
from harness.strategies.mixes import mixes
from harness.strategies.policies import BestOf, Cascade, Fallback, Hedge, RandomMix, Single, World
from harness.strategies.writing import strategy_yaml
from tests.judged_rows import request
from tests.strategies.recorded import run_of, sides
from tests.strategies.test_savings import call

BOOK = PriceBook.load()
CHEAP, DEAR = ModelRef("openai", "gpt-4o-mini"), ModelRef("anthropic", "claude-3-5-sonnet-20241022")
AT_CHEAP = {"draft_source": CHEAP.provider, "draft_model": CHEAP.model}


def answers(name, usd, ms, scores, *, repaired=(), failed=(), **changes):
    """One answer a case; a repaired one cost 0.002 (0.0084 at DEAR) and took 500 ms more."""
    rows = []
    for seq, score in enumerate(scores):
        mended = seq in repaired
        row = replace(
            request(seq, ms + 500.0 * mended),
            request_id=f"{name}-{seq}",
            strategy=name,
            case_id=f"case-{seq}",
            draft_cost_usd=Decimal(usd),
            cost_usd=Decimal(usd) + (Decimal("0.002") if mended else 0),
            quality_score=score,
            quality_tier=tier_of(score),
            **changes,
        )
        if mended:
            row = replace(
                row,
                repair_source=row.draft_source,
                repair_model=row.draft_model,
                repair_cost_usd=Decimal("0.002"),
                repair_input_tokens=800,
                repair_output_tokens=400,
                stages_ms={"draft": ms, "repair": 500.0},
            )
        if seq in failed:
            row = replace(row, status=RequestStatus.ERROR, quality_score=None, quality_tier=None)
        rows.append(row)
    return rows


def world(*rows, calls=()):
    found = comparable_sides(sides(*run_of(), *(row for group in rows for row in group), *calls))
    return World(load_cells(found.sides), BOOK)


@pytest.fixture
def four():
    """Cases: both right, only the dear one, only the cheap one, neither; case 1's cheap draft was repaired."""
    return world(
        answers("cheap", "0.001", 1000.0, [1.0, 0.0, 1.0, 0.0], repaired=[1], **AT_CHEAP),
        answers("dear", "0.01", 3000.0, [1.0, 1.0, 0.0, 0.0], repaired=[3]),
    )


def by_case(way, name, found):
    """A column in the order of the cases, by the recorded cost of the cheap draft's own unit."""
    return sorted(np.round(getattr(way, name), 6).tolist())


def test_a_perfect_cascade_pays_both_drafts_and_only_the_last_repair(four):
    way = Cascade(first=CHEAP, then=DEAR, checker=PerfectChecker()).over(four)
    # cases 0 and 2 are kept; 1 is asked again (its own repair is not paid), 3 too, where dear repairs
    assert by_case(way, "usd", four) == [0.001, 0.001, 0.011, 0.013]
    assert by_case(way, "ms", four) == [1000, 1000, 4000, 4500]
    assert way.high.sum() == 3


def test_the_validator_lets_pass_what_broke_no_rule(four):
    way = Cascade(first=CHEAP, then=DEAR, checker=ValidatorChecker()).over(four)
    assert by_case(way, "usd", four) == [0.001, 0.001, 0.001, 0.011]
    assert way.high.sum() == 3


def test_a_stated_checker_is_an_expectation_between_never_and_always(four):
    perfect = quick(Cascade(first=CHEAP, then=DEAR, checker=StatedChecker(1.0, 1.0)).over(four))
    assert perfect == quick(Cascade(first=CHEAP, then=DEAR, checker=PerfectChecker()).over(four))
    half = Cascade(first=CHEAP, then=DEAR, checker=StatedChecker(0.5, 1.0)).over(four)
    # cases 1 and 3 are caught half the time; where 1 is not, the cascade's own repair mends it, at 0.0084
    assert quick(half).usd == pytest.approx((0.001 * 2 + (0.0094 + 0.011) / 2 + (0.001 + 0.013) / 2) / 4)
    assert half.high.sum() == 2.5
    never = Cascade(first=CHEAP, then=DEAR, checker=StatedChecker(0.0, 1.0)).over(four)
    assert quick(never).usd == pytest.approx(quick(Single(draft=CHEAP, repair=DEAR).over(four)).usd)


def test_a_confidence_decides_at_its_threshold():
    sure = answers("cheap", "0.001", 1000.0, [1.0, 0.0], **AT_CHEAP)
    sure = [replace(row, confidence=told) for row, told in zip(sure, (0.9, 0.4), strict=True)]
    found = world(sure, answers("dear", "0.01", 3000.0, [1.0, 1.0]))
    way = Cascade(first=CHEAP, then=DEAR, checker=ConfidenceChecker(0.5)).over(found)
    assert by_case(way, "usd", found) == [0.001, 0.011]
    assert way.high.tolist() == [1.0, 1.0]


def test_a_second_answer_that_failed_leaves_the_first():
    found = world(
        answers("cheap", "0.001", 1000.0, [0.0, 0.0], repaired=[1], **AT_CHEAP),
        answers("dear", "0.01", 3000.0, [1.0, 1.0], failed=[0, 1]),
    )
    way = Cascade(first=CHEAP, then=DEAR, checker=PerfectChecker()).over(found)
    assert by_case(way, "usd", found) == [0.011, 0.0194]
    assert by_case(way, "ms", found) == [4000, 4500]
    assert way.ok.tolist() == [1.0, 1.0]


def test_a_fallback_pays_and_waits_for_the_failure():
    found = world(
        answers("cheap", "0.001", 1000.0, [1.0, 1.0], failed=[1], **AT_CHEAP),
        answers("dear", "0.01", 3000.0, [1.0, 1.0]),
    )
    way = Fallback(first=CHEAP, then=DEAR).over(found)
    assert by_case(way, "usd", found) == [0.001, 0.011]
    assert by_case(way, "ms", found) == [1000, 4000]


def test_a_hedge_pays_both_once_it_has_waited(four):
    way = Hedge(first=DEAR, second=CHEAP, after_ms=1500.0).over(four)
    # dear takes 3 s, cheap would be there after 1.5 + 1 s; case 1's cheap draft broke rules, so dear's counts;
    # in case 3 dear's own draft broke rules and cheap's did not
    assert by_case(way, "ms", four) == [2500, 2500, 2500, 3000]
    assert by_case(way, "usd", four) == [0.011] * 4
    alone = Hedge(first=DEAR, second=CHEAP, after_ms=5000.0).over(four)
    assert by_case(alone, "usd", four) == [0.01, 0.01, 0.01, 0.011]


def test_a_random_mix_is_the_mean_of_both(four):
    way = RandomMix(first=CHEAP, second=DEAR, share=0.25).over(four)
    cheap, dear = (quick(Single(draft=ref).over(four)) for ref in (CHEAP, DEAR))
    assert quick(way).usd == pytest.approx(0.75 * cheap.usd + 0.25 * dear.usd)
    assert quick(way).high == 0.5


def test_the_worked_example_of_the_docs(four):
    lines = (Path(__file__).parents[2] / "docs/strategies.md").read_text().splitlines()
    told = {
        row[0]: row[1:] for row in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    }
    policies = {
        "cheap alone": Single(draft=CHEAP),
        "dear alone": Single(draft=DEAR),
        "cheap then dear, validator": Cascade(first=CHEAP, then=DEAR, checker=ValidatorChecker()),
        "cheap then dear, perfect checker": Cascade(first=CHEAP, then=DEAR, checker=PerfectChecker()),
        "dear, cheap too after 1.5 s": Hedge(first=DEAR, second=CHEAP, after_ms=1500.0),
    }
    for name, policy in policies.items():
        way = policy.over(four)
        usd, seconds, right = way.usd.mean(), way.ms.mean() / 1000, way.high.mean()
        assert [f"{usd:.6f}", f"{seconds:.3f}", f"{right:.0%}"] == told[name]


def test_another_repair_model_is_priced_by_the_recorded_repairs_tokens():
    rows = answers("dear", "0.01", 3000.0, [1.0, 1.0], repaired=[1])
    mended = call("run-1", "dear-1", Role.REPAIR, (DEAR.provider, DEAR.model), (800, 400))
    found = world(answers("cheap", "0.001", 1000.0, [1.0, 1.0], **AT_CHEAP), rows, calls=[mended])
    way = Single(draft=DEAR, repair=CHEAP).over(found)
    assert by_case(way, "usd", found) == [0.01, pytest.approx(0.01 + 0.00036)]
    assert by_case(way, "ms", found) == [3000, 3500]


def test_another_repair_model_mends_at_the_pace_of_its_own_repairs():
    slow = [
        replace(row, stages_ms={"draft": 1000.0, "repair": 800.0}, latency_ms=1800.0)
        for row in answers("cheap", "0.001", 1000.0, [1.0] * 10, repaired=range(10), **AT_CHEAP)
    ]
    found = world(slow, answers("dear", "0.01", 3000.0, [1.0] * 10, repaired=range(10)))
    way = Single(draft=DEAR, repair=CHEAP).over(found)
    assert way.ms.tolist() == [3800.0] * 10
    few = world(slow[:9], answers("dear", "0.01", 3000.0, [1.0] * 9, repaired=range(9)))
    assert Single(draft=DEAR, repair=CHEAP).over(few).ms.tolist() == [3500.0] * 9


def test_the_best_of_two_pays_both_and_goes_on_with_the_surer_good_one():
    sure = answers("cheap", "0.001", 1000.0, [1.0, 0.0, 1.0, 1.0], repaired=[2], failed=[3], **AT_CHEAP)
    sure = [replace(row, confidence=told) for row, told in zip(sure, (0.9, 0.4, 0.9, 0.9), strict=True)]
    dear = [replace(row, confidence=0.6) for row in answers("dear", "0.01", 3000.0, [0.0, 1.0, 1.0, 0.0])]
    found = world(sure, dear)
    way = BestOf(refs=(CHEAP, DEAR), pick_by="confidence").over(found)
    assert by_case(way, "usd", found) == [0.011] * 4  # the broken one is not chosen, so nothing is mended
    assert by_case(way, "ms", found) == [3000] * 4
    assert way.high.sum() == 3  # cheap, dear, dear (cheap's draft broke a rule), dear (cheap failed)


def test_a_hedges_delay_is_divided_as_recorded_latencies_are(four):
    slowed = World(four.cells, BOOK, speed=10.0)
    way = Hedge(first=DEAR, second=CHEAP, after_ms=15_000.0).over(slowed)
    whole = Hedge(first=DEAR, second=CHEAP, after_ms=1500.0).over(four)
    assert way.usd.tolist() == whole.usd.tolist()
    assert way.ms.tolist() == whole.ms.tolist()


def test_cases_that_only_one_answered_are_excluded_and_counted():
    found = world(
        answers("cheap", "0.001", 1000.0, [1.0] * 5, **AT_CHEAP), answers("dear", "0.01", 3000.0, [1.0] * 4)
    )
    assert found.cells.n == 4
    assert {source.ref: source.excluded for source in found.cells.sources} == {CHEAP: 1, DEAR: 0}


def test_a_side_that_asked_several_models_in_one_request_is_no_source():
    rows = answers("cascade", "0.011", 4000.0, [1.0, 1.0])
    calls = [
        replace(call("run-1", "cascade-0", Role.DRAFT, (ref.provider, ref.model), (9, 9)), call_id=ref.model)
        for ref in (CHEAP, DEAR)
    ]
    found = world(
        rows,
        answers("cheap", "0.001", 1000.0, [1.0, 1.0], **AT_CHEAP),
        answers("dear", "0.01", 3000.0, [1.0, 1.0]),
        calls=calls,
    )
    assert {source.side for source in found.cells.sources} == {"cheap", "dear"}
    assert found.cells.left_out[0][0] == "cascade"


def test_all_models_take_part_however_many_there_are():
    rows = [
        answers(f"m{place}", f"0.00{place + 1}", 1000.0, [1.0] * 3, draft_source="x", draft_model=f"m{place}")
        for place in range(15)
    ]
    found = world(*rows)
    assert len(found.cells.sources) == 15
    singles = [policy for policy in mixes(found.cells) if isinstance(policy, Single)]
    assert len(singles) == 15


@pytest.mark.parametrize(
    "policy",
    [
        Single(draft=DEAR),
        Single(draft=DEAR, repair=CHEAP),
        Cascade(first=CHEAP, then=DEAR, checker=ValidatorChecker()),
        Cascade(first=CHEAP, then=DEAR, checker=PerfectChecker(), repair=CHEAP),
        Fallback(first=DEAR, then=CHEAP),
        Hedge(first=DEAR, second=CHEAP, after_ms=1500.0),
        Cascade(first=CHEAP, then=DEAR, checker=ConfidenceChecker(0.7)),
        Cascade(first=CHEAP, then=DEAR, checker=ScoreChecker(0.8)),
        BestOf(refs=(CHEAP, DEAR), pick_by="confidence"),
        RandomMix(first=CHEAP, second=DEAR, share=0.25),
    ],
)
def test_a_mix_is_written_as_the_strategy_file_that_runs_it(policy, tmp_path):
    path = tmp_path / "mix.yaml"
    path.write_text(strategy_yaml(policy))
    spec = load_strategy_file(path)
    drafting = getattr(policy, "draft", None) or getattr(policy, "first", None) or policy.refs[0]
    assert spec.draft.model == drafting.model
    assert yaml.safe_load(path.read_text())["type"] == spec.type


def test_what_no_strategy_file_can_say_is_refused():
    with pytest.raises(UsageError, match="no strategy file can say"):
        strategy_yaml(Cascade(first=CHEAP, then=DEAR, checker=StatedChecker(0.5, 0.9)))
