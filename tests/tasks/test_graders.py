"""Each grader notices its own faults and no other's, on six good graphs and some two hundred changed ones."""

import json

import pytest

from harness.records import ScoreBasis, Tier
from harness.tasks.base import Labels
from harness.tasks.decisions.draft_graph import WEIGHTS
from tests.tasks.confusion import CASES, TASK, confusion, noticed, outcomes, score_of
from tests.tasks.damages import CHANGES
from tests.tasks.good_graphs import GOOD, good_answer

OUTCOMES = list(outcomes())


def test_there_are_enough_graphs():
    assert len(GOOD) + len(OUTCOMES) >= 60
    assert sum(not change.notice for change in CHANGES) >= 5


@pytest.mark.parametrize("case_id", GOOD)
def test_good_graphs_are_high_with_full_marks_for_what_can_be_known(case_id):
    score = score_of(case_id, good_answer(case_id))
    assert score.tier == Tier.HIGH
    assert score.basis == ScoreBasis.LABELLED
    assert score.parts["schema"] == 1
    assert score.parts["topology"] == 1
    assert score.parts["coverage"] == 1, score.detail
    assert score.parts["provenance"] >= 0.8


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_right_graders_notice_and_no_other(change):
    for case_id, each, good, changed in OUTCOMES:
        if each is change:
            fell = noticed(good, changed)
            assert change.notice <= fell, f"{case_id}: missed {change.notice - fell}"
            assert fell <= change.notice | change.may, f"{case_id}: imagined {fell - change.notice}"


def test_harmless_changes_stay_high_and_ruin_is_low():
    for _, change, _, changed in OUTCOMES:
        if not change.notice:
            assert changed.tier == Tier.HIGH
        if "schema" in change.notice:
            assert changed.tier != Tier.HIGH, f"{change.name} breaks a rule"
        if change.name == "everything_wrong":
            assert changed.tier == Tier.LOW


def test_the_table_holds_no_false_alarm_and_no_false_calm():
    by_grader, by_change = confusion()
    for grader, counts in by_grader.items():
        assert counts["false alarm"] == counts["false calm"] == 0, grader
        assert counts["true alarm"] >= 12
    assert len(by_change) == len(CHANGES)


def test_the_score_is_the_weighted_mean_of_its_parts():
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    for _, _, _, changed in OUTCOMES:
        assert changed.score == pytest.approx(
            sum(WEIGHTS[name] * part for name, part in changed.parts.items()), abs=1e-6
        )
        assert all(0 <= part <= 1 for part in changed.parts.values())


def test_without_labels_the_brief_itself_is_the_measure():
    case = CASES["clinical-mri-slots"]
    answer = TASK.parse(json.dumps(good_answer(case.case_id)))
    score = TASK.grade(answer, TASK.parse_input(case.body))
    assert score.basis == ScoreBasis.EXTRACTED
    assert score.tier == Tier.HIGH


def test_coverage_of_nothing_is_unknown_and_its_weight_is_shared():
    answer = TASK.parse(json.dumps(good_answer("incident-water-leak")))
    score = TASK.grade(answer, TASK.parse_input({"brief": "Test request"}), Labels())
    assert "coverage" not in score.parts
    assert score.detail["coverage_items"] == 0
    known = {name: WEIGHTS[name] for name in score.parts}
    expected = sum(weight * score.parts[name] for name, weight in known.items()) / sum(known.values())
    assert score.score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("quote", "credit"),
    [
        ("Churn is 2.1% a month", 1),
        ("churn  is 2.1%  A MONTH.", 1),
        ("a", 0),
        ("", 0),
        ("churn is 3% a month", 0),
        ("as the minutes say", 1),
        ("n", 0),
    ],
)
def test_a_quote_counts_when_it_stands_in_the_brief_or_an_attachment(quote, credit):
    said = good_answer("pricing-saas-seat")
    said["graph"]["edges"] = [said["graph"]["edges"][0] | {"provenance": {"source": "brief", "quote": quote}}]
    attachments = [{"name": "minutes", "text": "As the minutes say, churn rose."}, {"name": "empty"}]
    read = TASK.parse_input({**CASES["pricing-saas-seat"].body, "attachments": attachments})
    assert TASK.grade(TASK.parse(json.dumps(said)), read).parts["provenance"] == credit


def test_stuffing_the_whole_brief_into_one_node_does_not_pay():
    case = CASES["market-entry-nordics"]
    nodes = [
        {"id": f"o{i}", "kind": "option", "label": "see body", "body": case.brief[:200]} for i in range(2)
    ]
    edges = [{"id": "e", "from": "o0", "to": "o1"}]
    score = score_of(case.case_id, {"graph": {"nodes": nodes, "edges": edges}})
    assert score.tier == Tier.LOW
