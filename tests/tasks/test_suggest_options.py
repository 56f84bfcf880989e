"""The second task: options read, checked, trimmed by rule, graded; its golden goals."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BadOutputError, UsageError
from harness.records import Role, ScoreBasis, Tier
from harness.tasks.base import Labels
from harness.tasks.briefs import load_cases
from harness.tasks.decisions.language import mentions_figure
from harness.tasks.decisions.suggest_options import VIOLATION_CODES, SuggestOptionsPayload
from harness.tasks.registry import get_task

TASK = get_task("suggest_options")
GOLDEN = load_cases(Path(__file__).parents[2] / "scenarios" / "briefs" / "suggest.jsonl")

BODY = {
    "goal": "Bring our CI pipeline from 38 minutes down to 15.",
    "constraints": ["one engineer for six weeks", "budget stays at €4,200 a month"],
}
GOOD = {
    "options": [
        {
            "id": "whatever",
            "title": "Split the test suite over parallel runners",
            "pros": ["Cuts 38 minutes roughly by the number of runners", "No test is lost"],
            "cons": ["Runners eat into the €4,200 a month", "Flaky tests fail more often"],
            "evidence_to_gather": ["Duration of the slowest test file", "Price of an extra runner"],
        },
        {
            "title": "Run only tests touched by a change",
            "pros": ["Most pushes finish within 15 minutes", "Costs nothing in cloud spend"],
            "cons": ["The dependency map takes six weeks to trust", "A wrong map hides a defect"],
            "evidence_to_gather": [
                "Share of pushes touching few modules",
                "Defects found by untouched tests",
            ],
        },
        {
            "title": "Cache builds between jobs",
            "pros": ["One engineer can do it alone", "Developers profit on their own machines"],
            "cons": ["Stale caches confuse people", "Saves less than halving the work"],
            "evidence_to_gather": ["Time spent compiling today", "Cache hit ratio of a trial week"],
        },
    ],
    "confidence": 0.85,
}


def parsed(change=None):
    said = deepcopy(GOOD)
    if change:
        change(said)
    return TASK.parse(f"Certainly.\n```json\n{json.dumps(said)}\n```")


def test_a_good_answer_passes_all_stages():
    read = TASK.parse_input(BODY)
    prompt = TASK.draft_prompt(read)
    assert prompt.role == Role.SUGGEST
    assert f"<goal>\n{BODY['goal']}\n</goal>" in prompt.user
    assert "one engineer for six weeks\nbudget" in prompt.user.split("<constraints>")[1]
    answer = parsed()
    assert TASK.validate(answer) == ()
    payload = TASK.payload(answer)
    SuggestOptionsPayload.model_validate(payload)
    assert [option["id"] for option in payload["options"]] == ["option_1", "option_2", "option_3"]
    assert payload["clarifier_status"] == "confident"
    score = TASK.grade(answer, read)
    assert score.basis == ScoreBasis.EXTRACTED
    assert score.tier == Tier.HIGH
    assert score.parts["coverage"] == 1


def too_long(said):
    said["options"][0]["title"] = "x" * 121
    said["options"][1]["pros"][0] = "y" * 201


DAMAGES = {
    "TOO_FEW_OPTIONS": lambda said: said["options"].pop(),
    "TOO_MANY_OPTIONS": lambda said: said["options"].extend(
        {**said["options"][0], "title": title} for title in ("Buy faster machines", "Drop old tests", "Wait")
    ),
    "NO_TITLE": lambda said: said["options"][0].pop("title"),
    "TITLE_TOO_LONG": too_long,
    "POINT_TOO_LONG": too_long,
    "TOO_FEW_POINTS": lambda said: said["options"][0]["cons"].pop(),
    "TOO_MANY_POINTS": lambda said: said["options"][0]["cons"].extend(["third con", "fourth con"]),
    "REPEATED_POINT": lambda said: said["options"][0]["pros"].append("no test IS lost!"),
    "SAME_OPTION_TWICE": lambda said: said["options"][2].update(
        title="Splitting the test suites over parallel runner"
    ),
    "UNREADABLE_PART": lambda said: said["options"][0].update(pros="many"),
}


def test_every_rule_has_a_damage():
    assert set(DAMAGES) == set(VIOLATION_CODES)


@pytest.mark.parametrize("code", DAMAGES)
def test_each_broken_rule_is_named_and_never_high(code):
    answer = parsed(DAMAGES[code])
    assert code in {violation.code for violation in TASK.validate(answer)}
    assert TASK.grade(answer, TASK.parse_input(BODY)).tier != Tier.HIGH


@pytest.mark.parametrize("code", ["TOO_MANY_OPTIONS", "TITLE_TOO_LONG", "TOO_MANY_POINTS", "REPEATED_POINT"])
def test_simple_repair_trims_what_can_be_trimmed(code):
    repaired = TASK.simple_repair(parsed(DAMAGES[code]))
    assert TASK.validate(repaired) == ()
    payload = TASK.payload(repaired)
    SuggestOptionsPayload.model_validate(payload)
    assert payload["clarifier_status"] == "max_rounds"
    assert "simple repair" in payload["issues"][0]


@pytest.mark.parametrize("code", ["TOO_FEW_OPTIONS", "TOO_FEW_POINTS", "SAME_OPTION_TWICE", "NO_TITLE"])
def test_simple_repair_invents_nothing(code):
    with pytest.raises(BadOutputError):
        TASK.simple_repair(parsed(DAMAGES[code]))


WORDS = st.lists(
    st.sampled_from(["buy", "build", "wait", "hire", "train", "lease", "share", "merge", "stop"]), max_size=4
)
POINTS = st.lists(WORDS.map(" ".join), max_size=5)
OPTIONS = st.lists(
    st.fixed_dictionaries(
        {"title": WORDS.map(" ".join), "pros": POINTS, "cons": POINTS, "evidence_to_gather": POINTS}
    ),
    max_size=9,
)


@given(OPTIONS)
@settings(max_examples=150, deadline=None)
def test_what_simple_repair_returns_validates(options):
    try:
        repaired = TASK.simple_repair(TASK.parse(json.dumps({"options": options})))
    except BadOutputError:
        return
    assert TASK.validate(repaired) == ()


def test_options_that_share_the_goals_words_are_distinct_by_their_own():
    goal = "bring our CI pipeline from 38 minutes down to 15"

    def retitle(said):
        for option, start in zip(said["options"], ("Run a pilot", "Buy a product", "Build it"), strict=True):
            option["title"] = f"{start}: {goal}"

    assert TASK.validate(parsed(retitle)) == ()


def test_copied_lines_and_reworded_twins_score_low_in_their_graders():
    def copy_points(said):
        for option in said["options"]:
            option["cons"] = ["It costs money", "It takes time"]

    def twins(said):
        for option in said["options"][1:]:
            option.update({name: said["options"][0][name] for name in ("pros", "cons", "evidence_to_gather")})

    read = TASK.parse_input(BODY)
    good = TASK.grade(parsed(), read)
    assert TASK.grade(parsed(copy_points), read).parts["substance"] < good.parts["substance"]
    assert TASK.grade(parsed(twins), read).parts["distinctness"] < 0.5 < good.parts["distinctness"]
    assert TASK.grade(parsed(), read, Labels(figures=("€9,999",))).parts["coverage"] == 0
    assert "coverage" not in TASK.grade(parsed(), TASK.parse_input({"goal": "Be better"})).parts


@pytest.mark.parametrize(
    "text", ["", "no", '{"options": 3}', '{"answers": []}', "[]", '{"options"' * 9000, "{" * 99_999]
)
def test_nothing_readable_is_bad_output(text):
    with pytest.raises(BadOutputError):
        TASK.parse(text)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"goal": ""},
        {"goal": " \n"},
        {"goal": "x" * 5001},
        {"goal": 4},
        {"goal": "ok", "constraints": 4},
        {"goal": "ok", "constraints": ["x"] * 51},
        {"goal": "ok", "constraints": "x" * 5001},
        {"goal": "ok", "constraints": [1]},
    ],
)
def test_a_wrong_body_is_refused_by_name(body):
    with pytest.raises(UsageError) as caught:
        TASK.parse_input(body)
    assert str(caught.value).startswith(("goal", "constraints"))


def test_constraints_may_be_text_list_or_names_with_values():
    for constraints in ("a: 1\nb: c", ["a: 1", "b: c"], {"a": 1, "b": "c"}):
        assert TASK.parse_input({"goal": "ok", "constraints": constraints}).constraints == ("a: 1", "b: c")


def test_golden_goals_are_many_and_their_figures_derivable():
    assert len(GOLDEN) >= 12
    assert len({case.archetype for case in GOLDEN}) >= 10
    for case in GOLDEN:
        read = TASK.parse_input(case.body)
        assert case.labels.figures
        for figure in case.labels.figures:
            assert figure in read.text
            assert mentions_figure(read.text, figure)
