"""Judging over HTTP against the emulator, whose ledger knows what its judge chose and what that cost."""

import re
from collections import Counter
from decimal import Decimal

import pytest

from harness.emulator import EmulatorSettings, FaultKind, FaultRule, JudgeLeanings, running_emulator
from harness.evaluation import Stop, read_progress
from harness.records import CallOutcome, RunStatus
from harness.store import open_store
from tests.evaluation.judged_answers import cases, judged, judges, ledger, owed, rows, store_answers, text

FAIR = JudgeLeanings(first_place=0.0, length=0.0, noise=0.0)


def answers(asked, **figures):
    return {
        strategy: {case.case_id: text(count, salt=f"{strategy}{case.case_id}") for case in asked}
        for strategy, count in figures.items()
    }


def emulator(faults=(), leanings=FAIR, **settings):
    return running_emulator(EmulatorSettings(speed=500, faults=tuple(faults), judge=leanings, **settings))


async def test_every_answer_gets_its_grades_and_every_call_its_price(tmp_path):
    asked = cases(4)
    store_answers(tmp_path, answers(asked, base=2, other=4))
    with emulator() as running:
        end = await judged(tmp_path, judges(running), asked)
        told = ledger(running)
    grades, calls = rows(tmp_path)
    assert end.status is RunStatus.COMPLETED
    assert Counter(grader for _, grader in grades) == {"rubric": 8, "pairwise": 4}
    assert {call.call_id for call in calls} == set(told)
    assert len(calls) == 8 + 2 * 4
    assert sum(call.cost_usd for call in calls) == sum(Decimal(entry.cost_usd) for entry in told.values())
    assert {grade.detail["verdict"] for (_, name), grade in grades.items() if name == "pairwise"} == {"win"}
    assert grades["base-c0", "rubric"].score < grades["other-c0", "rubric"].score


async def test_a_fair_judge_never_flips_and_one_blinded_by_order_always_does(tmp_path):
    asked = cases(5)
    for name, leanings, flips, verdict in (
        ("fair", FAIR, 0, "loss"),
        ("blind", JudgeLeanings(first_place=9.0, length=0.0, noise=0.0), 5, "tie"),
    ):
        store_answers(tmp_path / name, answers(asked, base=4, other=1))
        with emulator(leanings=leanings) as running:
            await judged(tmp_path / name, judges(running), asked)
        pairs = [grade for (_, grader), grade in rows(tmp_path / name)[0].items() if grader == "pairwise"]
        assert sum(pair.detail["flipped"] for pair in pairs) == flips
        assert {pair.detail["verdict"] for pair in pairs} == {verdict}


async def test_flips_are_those_of_the_emulators_ledger(tmp_path):
    asked = cases(40)
    store_answers(tmp_path, answers(asked, base=3, other=3))
    with emulator(leanings=JudgeLeanings()) as running:
        await judged(tmp_path, judges(running), asked, concurrency=8)
        told = ledger(running)
    grades, calls = rows(tmp_path)
    said = {}
    for call in calls:
        verdict = told[call.call_id].verdict
        if not re.fullmatch(r"[0-9.]+", verdict):  # a number is a rubric's
            said.setdefault(call.request_id, []).append(verdict)
    truth = {request: sorted(both) not in (["A", "B"], ["tie", "tie"]) for request, both in said.items()}
    ours = {
        request: grade.detail["flipped"] for (request, name), grade in grades.items() if name == "pairwise"
    }
    assert ours == truth
    assert 5 <= sum(ours.values()) <= 35  # leanings and noise make some flip, not all


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (FaultKind.REFUSAL, "content_filter"),
        (FaultKind.TRUNCATED, "truncated"),
        (FaultKind.MALFORMED_JSON, "bad_output"),
        (FaultKind.WRONG_SCHEMA, "bad_output"),
        (FaultKind.EMPTY, "bad_output"),
    ],
)
async def test_a_judge_that_does_not_answer_leaves_no_grade_and_its_cost_is_known(tmp_path, kind, why):
    asked = cases(2)
    store_answers(tmp_path, answers(asked, base=3, other=3))
    with emulator([FaultRule(kind=kind)]) as running:
        end = await judged(tmp_path, judges(running), asked)
        told = ledger(running)
    grades, calls = rows(tmp_path)
    assert end.status is RunStatus.COMPLETED
    assert len(grades) == 4 + 2
    assert {(grade.score, grade.passed) for grade in grades.values()} == {(None, None)}
    assert all(grade.detail["grader_failed"].startswith(why) for grade in grades.values())
    assert len(calls) == 6  # a pair whose first order failed is not asked the second
    assert sum(call.cost_usd for call in calls) == sum(Decimal(entry.cost_usd) for entry in told.values())


async def test_a_judge_that_is_busy_is_asked_again_and_each_attempt_is_a_row(tmp_path):
    asked = cases(1)
    store_answers(tmp_path, answers(asked, base=3))
    busy = FaultRule(kind=FaultKind.RATE_LIMITED, first=1, retry_after_ms=20)
    with emulator([busy]) as running:
        await judged(tmp_path, judges(running), asked)
    grades, calls = rows(tmp_path)
    assert grades["base-c0", "rubric"].score is not None
    assert [(call.attempt, call.outcome) for call in calls] == [(1, CallOutcome.ERROR), (2, CallOutcome.OK)]
    assert {call.request_id for call in calls} == {"base-c0"}


async def test_a_failed_answer_is_not_judged_and_its_counterpart_has_no_pair(tmp_path):
    asked = cases(2)
    store_answers(tmp_path, answers(asked, base=3, other=3), failed=["base-c0"])
    with emulator() as running:
        await judged(tmp_path, judges(running), asked)
    assert set(rows(tmp_path)[0]) == {
        ("base-c1", "rubric"), ("other-c0", "rubric"), ("other-c1", "rubric"), ("other-c1", "pairwise"),
    }  # fmt: skip


async def test_a_budget_that_is_used_up_leaves_the_rest_for_another_session(tmp_path):
    asked = cases(6)
    store_answers(tmp_path, answers(asked, base=3, other=3))
    with emulator() as running:
        panel = judges(running)
        first = await judged(tmp_path, panel, asked, budget=Decimal("0.15"), concurrency=1)
        some, calls = rows(tmp_path)
        spent = sum(call.cost_usd for call in calls)
        second = await judged(tmp_path, panel, asked, budget=Decimal(9))
    grades, calls = rows(tmp_path)
    assert (first.status, second.status) == (RunStatus.TRUNCATED, RunStatus.COMPLETED)
    assert 0 < len(some) < len(grades) == 12 + 6
    assert spent <= Decimal("0.15") - Decimal("0.12")  # twelve drafts of a cent had been paid before
    assert sum(call.outcome is CallOutcome.OK for call in calls) == 12 + 2 * 6


async def test_a_wrong_key_and_a_dead_emulator_fail_the_session_and_ungrade_nothing(tmp_path):
    asked = cases(2)
    store_answers(tmp_path, answers(asked, base=3))
    with emulator() as running:
        refused = await judged(tmp_path, judges(running, key="invalid"), asked)
        assert refused.status is RunStatus.FAILED
        assert "judge" in refused.problem
    dead = await judged(tmp_path, judges(running), asked, alive=False)
    assert (dead.status, dead.problem) == (RunStatus.FAILED, "the emulator has ended")
    assert rows(tmp_path)[0] == {}
    with open_store(tmp_path).snapshot() as view:
        assert read_progress(view, "run-1").judging_in_doubt == ()
    with emulator() as running:
        assert (await judged(tmp_path, judges(running), asked)).status is RunStatus.COMPLETED
    assert len(rows(tmp_path)[0]) == 2


async def test_a_stop_begins_nothing_and_is_interrupted(tmp_path):
    asked, stop = cases(2), Stop()
    store_answers(tmp_path, answers(asked, base=3))
    stop.ask()
    with emulator() as running:
        end = await judged(tmp_path, judges(running), asked, stop=stop)
        assert ledger(running) == {}
    assert end.status is RunStatus.INTERRUPTED


async def test_what_is_owed_is_the_worst_case_of_the_questions_left(tmp_path):
    asked = cases(2)
    store_answers(tmp_path, answers(asked, base=3, other=3))
    with emulator() as running:
        panel = judges(running)
        before = owed(tmp_path, panel, asked)
        await judged(tmp_path, panel, asked, budget=Decimal("0.058"), concurrency=1)
        between = owed(tmp_path, panel, asked)
        await judged(tmp_path, panel, asked)
    spent = sum(call.cost_usd for call in rows(tmp_path)[1])
    assert spent < before < Decimal(1)
    assert 0 < between < before
    assert owed(tmp_path, panel, asked) == 0


async def test_a_second_session_pays_no_finished_judgement_again(tmp_path):
    asked = cases(3)
    store_answers(tmp_path, answers(asked, base=3, other=3))
    with emulator() as running:
        await judged(tmp_path, judges(running), asked)
        paid = len(ledger(running))
        await judged(tmp_path, judges(running), asked)
        assert len(ledger(running)) == paid
