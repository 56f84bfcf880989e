"""Graders of any answer: contents, numbers in texts, likeness, and functions of the user's own."""

import pytest

from harness.errors import ConfigError
from harness.evaluation import load_suite
from harness.tasks.graders.likeness import character_likeness, rouge_l, word_f1
from harness.tasks.grading import GradedAnswer, Weighing, said_of

FUNCTIONS = """\
def polite(answer, case):
    return "please" in answer, f"asked {case['question']} of {case['case_id'][:5]}"

def short(answer):
    return min(1.0, 10 / len(answer))

def unsure(answer):
    return None

def broken(answer):
    return answer["x"]

def odd(answer):
    return "yes"

def many(a, b, c):
    return True
"""


def graded(folder, grader, answer, wanted="Paris"):
    (folder / "q.csv").write_text(f'question,want\nWhere?,"{wanted}"\n')
    (folder / "graders.py").write_text(FUNCTIONS)
    (folder / "s.yaml").write_text(
        f"task: {{prompt: '{{question}}'}}\ndataset: q.csv\nexpected: want\ngraders: [{grader}]\n"
    )
    loaded = load_suite(str(folder / "s.yaml"))
    ((found, weighing),) = loaded.graders
    return said_of(found, GradedAnswer(task="s", case=loaded.cases[0], payload=answer), weighing)


@pytest.mark.parametrize(
    ("grader", "answer", "wanted", "score"),
    [
        ("{kind: exact}", " Paris", "Paris ", 1.0),
        ("{kind: exact}", "paris", "Paris", 0.0),
        ("{kind: exact, ignore_case: true}", "paris", "Paris", 1.0),
        ("{kind: contains}", "It is Paris.", "Paris", 1.0),
        ("{kind: contains}", "It is paris.", "Paris", 0.0),
        ("{kind: contains, expected: [Rome, Paris], any: true}", "Paris", "x", 1.0),
        ("{kind: contains, expected: [Rome, Paris]}", "Paris", "x", 0.0),
        ("{kind: numeric, take: last}", "2 + 2 = 4.", "4", 1.0),
        ("{kind: numeric, take: first}", "4, or $1,234.50", "4", 1.0),
        ("{kind: numeric, take: last}", "4, or $1,234.50", "$1234.5", 1.0),
        ("{kind: numeric, take: last, tolerance: 1}", "about -3", "-4", 1.0),
        ("{kind: numeric, take: last}", "none", "4", 0.0),
        ("{kind: numeric, take: last}", "4", "four", None),
        ("{kind: f1}", "the cat sat", "a cat sat", 2 / 3),
        ("{kind: rouge_l}", "sat cat the", "the cat sat", 1 / 3),
        ("{kind: similarity}", "Paris", "paris", 1.0),
        ("'./graders.py:polite'", "yes please", "x", 1.0),
        ("./graders.py:short", "x" * 20, "x", 0.5),
        ("./graders.py:unsure", "x", "x", None),
        ("./graders.py:broken", "x", "x", None),
        ("./graders.py:odd", "x", "x", None),
    ],
)
def test_each_kind_scores(tmp_path, grader, answer, wanted, score):
    assert graded(tmp_path, grader, answer, wanted).score == pytest.approx(score)


def test_a_function_sees_the_case_and_may_say_what_it_saw(tmp_path):
    said = graded(tmp_path, "{kind: function, path: './graders.py:polite', threshold: 0.5}", "please")
    assert (said.grader, said.passed, said.detail) == ("polite", True, {"seen": "asked Where? of case-"})


def test_a_function_that_fails_leaves_no_score_but_a_reason(tmp_path):
    assert graded(tmp_path, "./graders.py:broken", "x").detail["grader_failed"].startswith("TypeError: ")
    assert "it gave str" in graded(tmp_path, "./graders.py:odd", "x").detail["grader_failed"]


@pytest.mark.parametrize(
    ("grader", "problem"),
    [
        ("./graders.py:rude", r"s.yaml:4: ./graders.py has no 'rude' \(there is: polite, short, "),
        ("./graders.py:many", "s.yaml:4: ./graders.py:many takes 3 values; expected \\(answer, case\\)"),
        ("./none.py:a", "s.yaml:4: there is no file './none.py'"),
    ],
)
def test_a_function_that_is_not_there_is_one_sentence(tmp_path, grader, problem):
    with pytest.raises(ConfigError, match=problem):
        graded(tmp_path, grader, "x")


def test_a_file_that_does_not_run_names_its_line(tmp_path):
    (tmp_path / "bad.py").write_text("import json\nx = json.loads('{')\n")
    with pytest.raises(ConfigError, match=r"bad.py:2: JSONDecodeError"):
        graded(tmp_path, "./bad.py:x", "x")


@pytest.mark.parametrize("measure", [word_f1, rouge_l, character_likeness])
def test_likeness_is_1_for_the_same_and_0_for_nothing_shared(measure):
    assert measure("Der Strom fiel aus", "der  strom fiel aus") == 1.0
    assert measure("abc", "xyz") == 0.0
    assert measure("", "xyz") == 0.0


def test_words_of_scripts_without_blanks_are_characters():
    assert word_f1("\u6771\u4eac\u90fd", "\u6771\u4eac") == pytest.approx(2 * 2 / 5)


def test_weighing_is_what_counts_by_default():
    assert Weighing() == Weighing(weight=1.0, threshold=0.9, must_pass=False)
