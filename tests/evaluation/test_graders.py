"""Graders of texts, numbers and schemas, plugged-in ones, and how a suite file names them."""

import json
import re
import sys
from decimal import Decimal

import pytest

from harness.errors import ConfigError
from harness.evaluation import load_suite
from harness.tasks.briefs import BriefCase, load_cases
from harness.tasks.decisions import draft_graph, suggest_options
from harness.tasks.graders import GradedAnswer, grade_row, register_grader
from harness.tasks.graders.expected import Expectation
from harness.tasks.graders.marking import RESERVED_NAMES
from harness.tasks.graders.pointer import MISSING, value_at
from harness.tasks.graders.text import NumericGrader
from harness.tasks.grading import Part

ANSWER = {
    "label": " Refund ",
    "confidence": 0.75,
    "count": 3,
    "sure": True,
    "options": [{"title": "Hire two"}, {"title": "Wait"}],
    "a/b": {"~": 1},
}
HEAD = "name: mine\ntask: draft_graph\ndataset: cases.jsonl\nstrategies: [hybrid]\n"
CASE = {"case_id": "a", "archetype": "x", "industry": "y", "brief": "Hire or wait?"}


def suite(folder, text, **case):
    (folder / "cases.jsonl").write_text(json.dumps({**CASE, **case}) + "\n")
    (folder / "suite.yaml").write_text(HEAD + text)
    return load_suite(str(folder / "suite.yaml"))


def graded(folder, grader, payload=ANSWER, **case):
    """The row that one grader of a suite gives an answer."""
    loaded = suite(folder, f"graders: [{grader}]\n", **case)
    ((found, weighing),) = loaded.graders
    answer = GradedAnswer(task="draft_graph", case=loaded.cases[0], payload=payload)
    return grade_row(found, answer, run_id="run-1", request_id="r", weighing=weighing)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", ANSWER),
        ("/options/1/title", "Wait"),
        ("/a~1b/~0", 1),
        ("/options/2", MISSING),
        ("/options/01", MISSING),
        ("/options/-1", MISSING),
        ("/label/0", MISSING),
        ("/none", MISSING),
    ],
)
def test_a_pointer_names_one_place(pointer, value):
    assert value_at(ANSWER, pointer) is value or value_at(ANSWER, pointer) == value


@pytest.mark.parametrize(
    ("grader", "score"),
    [
        ("{kind: exact, pointer: /label, expected: Refund}", 1.0),
        ("{kind: exact, pointer: /label, expected: refund}", 0.0),
        ("{kind: exact, pointer: /label, expected: REFUND, ignore_case: true}", 1.0),
        ("{kind: exact, pointer: /count, expected: 3}", 1.0),
        ("{kind: exact, pointer: /sure, expected: true}", 1.0),
        ("{kind: exact, pointer: /sure, expected: 1}", 0.0),
        ("{kind: exact, pointer: /options/0, expected: {title: Hire two}}", 1.0),
        ("{kind: exact, pointer: /none, expected: x}", 0.0),
        ("{kind: regex, pattern: 'Hire (two|three)'}", 1.0),
        ("{kind: regex, pointer: /label, pattern: '^refund$'}", 0.0),
        ("{kind: regex, pointer: /label, pattern: refund, ignore_case: true}", 1.0),
        ("{kind: regex, pattern: cannot, forbidden: true}", 1.0),
        ("{kind: regex, pattern: Wait, forbidden: true}", 0.0),
        ("{kind: numeric, pointer: /confidence, expected: 0.8, tolerance: 0.05}", 1.0),
        ("{kind: numeric, pointer: /confidence, expected: 0.8, tolerance: 0.049}", 0.0),
        ("{kind: numeric, pointer: /confidence, min: 0.75}", 1.0),
        ("{kind: numeric, pointer: /confidence, max: 0.7499}", 0.0),
        ("{kind: numeric, pointer: /label, min: 0}", 0.0),
        ("{kind: numeric, pointer: /sure, min: 0}", 0.0),
        ("{kind: json_schema, pointer: /options, schema: {type: array, minItems: 2}}", 1.0),
        ("{kind: json_schema, pointer: /options, schema: {items: {required: [why]}}}", 0.0),
        ("{kind: json_schema, schema: {$ref: '#/$defs/a', $defs: {a: {type: object}}}}", 1.0),
    ],
)
def test_each_kind_scores_1_or_0(tmp_path, grader, score):
    row = graded(tmp_path, grader)
    assert (row.score, row.passed) == (score, bool(score))


def test_what_is_expected_may_stand_with_the_case_and_is_not_shown_to_the_model(tmp_path):
    grader = "{kind: exact, name: label, pointer: /label}"
    assert graded(tmp_path, grader, expected={"label": "Refund"}).score == 1.0
    assert graded(tmp_path, grader, expected={"label": "Other"}).score == 0.0
    assert "expected" not in load_cases(tmp_path / "cases.jsonl")[0].body
    number = graded(tmp_path, "{kind: numeric, name: n, pointer: /count, tolerance: 1}", expected={"n": 4})
    assert number.score == 1.0


@pytest.mark.parametrize(
    ("grader", "expected", "why"),
    [
        ("{kind: exact, pointer: /label}", {}, "case 'a' expects nothing under 'exact'"),
        ("{kind: numeric, pointer: /count}", {"numeric": "three"}, "is not a number"),
    ],
)
def test_a_case_without_a_usable_expectation_is_ungraded_not_0(tmp_path, grader, expected, why):
    row = graded(tmp_path, grader, expected=expected)
    assert (row.score, row.passed) == (None, None)
    assert why in row.detail["grader_failed"]


def test_expected_must_be_an_object(tmp_path):
    with pytest.raises(ConfigError, match="expected must be an object"):
        suite(tmp_path, "", expected=[1])


def test_the_errors_of_a_schema_are_told_and_bounded(tmp_path):
    row = graded(tmp_path, "{kind: json_schema, pointer: /options, schema: {items: {type: 'null'}}}")
    assert row.detail["error_count"] == 2
    assert row.detail["errors"][0].startswith("$[0]: ")


class Long:
    name = "long_enough"

    def grade(self, answer):
        return Part(score=float(len(str(answer.payload)) > 10))


class Raising(Long):
    name = "raising"

    def grade(self, answer):
        raise KeyError("rationales")


class Beyond(Long):
    name = "beyond"

    def grade(self, answer):
        return Part(score=1.2)


@pytest.mark.parametrize(
    ("grader", "score", "why"),
    [(Long, 1.0, None), (Raising, None, "KeyError: 'rationales'"), (Beyond, None, "not in 0..1")],
)
def test_a_plug_in_grades_and_one_that_fails_leaves_the_answer_ungraded(tmp_path, grader, score, why):
    register_grader(grader.name, grader)
    row = graded(tmp_path, grader.name)
    assert row.score == score
    assert why is None or why in row.detail["grader_failed"]


def test_a_grader_of_an_installed_package_is_found_by_its_entry_point(tmp_path, monkeypatch):
    code = (
        "from harness.tasks.grading import Part\n"
        "class Polite:\n    name = 'polite'\n    def grade(self, answer):\n        return Part(score=0.5)\n"
    )
    (tmp_path / "polite_package.py").write_text(code)
    info = tmp_path / "polite_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: polite-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harness.graders]\npolite = polite_package:Polite\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    row = graded(tmp_path, "polite")
    sys.modules.pop("polite_package")
    assert (row.score, row.passed) == (0.5, False)


def test_two_graders_may_not_record_under_one_name(tmp_path):
    register_grader("other", Long)
    with pytest.raises(ConfigError, match=r"suite.yaml:5: two graders record under the name 'long_enough'"):
        suite(tmp_path, "graders: [other, {kind: regex, name: long_enough, pattern: x}]\n")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "graders: [{kind: nope}]",
            "a mapping with a kind of exact, contains, regex, numeric, json_schema, f1",
        ),
        ("graders: [7]", "expected a plug-in's name"),
        ("graders: [{kind: regex, pattern: '('}]", "not a regular expression"),
        ("graders: [{kind: exact, pointer: x}]", "graders.0.exact.pointer"),
        ("graders: [{kind: numeric, min: 2, max: 1}]", "min is above max"),
        ("graders: [{kind: numeric, expected: 1, max: 3}]", "not both"),
        ("graders: [{kind: numeric, min: .nan}]", "finite"),
        ("graders: [{kind: json_schema, schema: {type: 5}}]", "not a JSON schema"),
        ("graders: [{kind: json_schema, schema: {$ref: 'http://127.0.0.1/x'}}]", "may only point into"),
        ("graders: [{kind: exact}, {kind: exact}]", "two are called 'exact'"),
        ("graders: [{kind: exact, name: schema}]", "the name of a built-in grade"),
        ("graders: [{kind: rubric}]", "graders.0.rubric.judge"),
        ("graders: [{kind: rubric, judge: gpt-4o}]", "graders.0.rubric.judge"),
        ("graders: [{kind: rubric, judge: a/b, criteria: []}]", "criteria"),
        ("pairwise: {}", "pairwise.judge"),
        ("pairwise: {judge: a/b, tie: 1}", "pairwise.tie"),
        ("families: {a: b}", "families"),
    ],
)
def test_a_wrong_grader_is_one_sentence_that_names_the_file_and_the_place(tmp_path, text, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)) as found:
        suite(tmp_path, text + "\n")
    assert str(tmp_path / "suite.yaml") in str(found.value)
    assert "\n" not in str(found.value)


def test_an_unknown_plug_in_is_named(tmp_path):
    with pytest.raises(ConfigError, match="'graders': no grader 'nowhere'; there are"):
        suite(tmp_path, "graders: [nowhere]\n")


def test_the_digest_changes_with_what_changes_a_grade(tmp_path):
    def digest(text):
        return suite(tmp_path, text).marking.digest

    assert digest("") is None
    first = digest("graders: [{kind: regex, pattern: a}]\n")
    assert first == digest("repeats: 3\ngraders: [{kind: regex, pattern: a}]\n")
    assert (
        len({first, digest("graders: [{kind: regex, pattern: b}]\n"), digest("pairwise: {judge: a/b}\n")})
        == 3
    )


def test_the_names_of_the_tasks_own_graders_are_reserved():
    assert {*draft_graph.WEIGHTS, *suggest_options.WEIGHTS, "quality", "pairwise"} == RESERVED_NAMES


def test_a_decimal_bound_is_exact():
    case = BriefCase(case_id="a", archetype="x", industry="y", body={}, labels=None)
    answer = GradedAnswer(task="t", case=case, payload={"x": 0.3})
    bound = NumericGrader(
        name="n",
        pointer="/x",
        expected=Expectation(grader="n", given=Decimal("0.1")),
        tolerance=Decimal("0.2"),
        low=None,
        high=None,
        take=None,
    )
    assert bound.grade(answer).score == 1.0  # 0.1 + 0.2 in floats is above 0.3 only by their error
