"""Figures of graders and judges from hand-made grades: what is absent is counted, never 0."""

from dataclasses import replace
from decimal import Decimal

import pytest

from harness.figures.grading import grading_figures as of_rows
from harness.figures.sides import whole_side
from harness.records import CallOutcome, Grade, RequestStatus, Role
from harness.report.grading import grader_rows, grading_json, pairwise_notes, pairwise_rows
from tests.judged_rows import JudgedRun, calls_of, request, view_of

RUN = JudgedRun(
    config={"strategies": ["base", "other"], "graders": ["rubric", "pairwise"], "judges": ["mistral/m"]}
)


def grading_figures(run, rows, calls, grades):
    view = view_of(rows, calls, run, grades)
    return of_rows(whole_side(view, view.run()).rows, view.run())


def answer(strategy, case, **changes):
    return request(
        1, 10.0, request_id=f"{strategy}-{case}", strategy=strategy, case_id=case, repeat=1, **changes
    )


def grade(strategy, case, score, grader="rubric", **detail):
    passed = None if score is None else score >= 0.9
    return Grade(
        run_id="run-1",
        request_id=f"{strategy}-{case}",
        grader=grader,
        score=score,
        passed=passed,
        detail=detail,
    )


def pair(case, verdict, *, flipped=False, longer=0):
    score = {"win": 1.0, "tie": 0.5, "loss": 0.0}[verdict]
    lengths = {"chars": 100 + longer, "baseline_chars": 100}
    return grade("other", case, score, "pairwise", verdict=verdict, flipped=flipped, **lengths)


ROWS = [answer(strategy, case) for strategy in ("base", "other") for case in "abcd"]


def test_a_failed_and_a_missing_grade_are_ungraded_and_in_no_mean():
    grades = [
        grade("base", "a", 1.0),
        grade("base", "b", 0.5),
        grade("base", "c", None, grader_failed="truncated: cut"),  # and d was never reached
    ]
    figures = grading_figures(RUN, ROWS, [], grades)
    base, other = (found for found in figures.graders if found.grader == "rubric")
    assert (base.score.value, base.score.n, base.ungraded) == (0.75, 2, 2)
    assert (base.passed.value, base.passed.n) == (0.5, 2)
    assert (other.score.value, other.score.n, other.ungraded) == (None, 0, 4)
    (line, _) = grader_rows(figures, ["base", "other"])
    assert line == ("grader rubric", "0.750 [0.010, 0.999], 2 ungraded", "-, 4 ungraded")


def test_pairs_are_counted_flips_are_ties_and_unjudged_pairs_are_said():
    grades = [pair("a", "win"), pair("b", "tie", flipped=True), pair("c", "loss")]
    (found,) = grading_figures(RUN, ROWS, [], grades).pairwise
    assert (found.strategy, found.baseline) == ("other", "base")
    assert (found.pairs, found.ungraded) == (3, 1)
    assert found.counts == {"win": 1, "tie": 1, "loss": 1}
    assert found.win_rate.value == 0.5
    assert found.flipped.value == pytest.approx(1 / 3)
    figures = grading_figures(RUN, ROWS, [], grades)
    (line,) = pairwise_rows(figures)
    assert line[-2:] == ("1, 1, 1", "3 (1 ungraded)")
    assert pairwise_notes(figures) == ["other, at equal length: 3 cases, at least 6 are needed"]
    assert grading_json(figures)["pairwise"][0]["length_adjusted_win_rate"]["value"] is None


def test_a_failed_side_makes_no_pair():
    rows = [replace(row, status=RequestStatus.ERROR) if row.request_id == "base-a" else row for row in ROWS]
    (found,) = grading_figures(RUN, rows, [], []).pairwise
    assert (found.pairs, found.ungraded) == (0, 3)
    assert found.win_rate.value is None


def test_judges_are_summed_by_the_strategy_they_judged_and_refused_calls_are_none():
    (draft,) = calls_of([ROWS[0]])
    judge = replace(draft, role=Role.JUDGE, cost_usd=Decimal("0.002"))
    calls = [
        draft,
        replace(judge, call_id="j1"),
        replace(judge, call_id="j2", cost_usd=None),
        replace(judge, call_id="j3", request_id="other-a"),
        replace(judge, call_id="j4", outcome=CallOutcome.REFUSED),
    ]
    base, other = grading_figures(RUN, ROWS, calls, []).spending
    assert (base.calls, base.cost_usd, base.unknown) == (2, Decimal("0.002"), 1)
    assert (other.calls, other.cost_usd, other.unknown) == (1, Decimal("0.002"), 0)
    lines = grader_rows(grading_figures(RUN, ROWS, calls, []), ["base", "other"])
    assert lines[-1] == ("$ of judges, apart", "0.0020 (+1 unknown)", "0.0020")


def test_a_run_without_graders_of_its_own_has_no_lines_for_them():
    figures = grading_figures(JudgedRun(config={}), ROWS, [], [grade("base", "a", 0.9, "coverage")])
    assert grader_rows(figures, ["base", "other"]) == []
    assert [(found.grader, found.own) for found in figures.graders] == [("coverage", False)] * 2
    assert figures.pairwise == ()
