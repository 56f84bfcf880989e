"""Tasks written as files: prompts, reading, repair and grading, and what is wrong with one."""

import re

import pytest

from harness.errors import BadOutputError, ConfigError
from harness.evaluation import load_suite
from harness.tasks.from_file import task_of

QUESTIONS = "question,reference_answer,industry\nWhat is 2+2?,4,\n[urgent] My bill is wrong,Sorry about that.,energy\n"
SUITE = """\
task:
  prompt: "{question}"
  max_tokens: 100
dataset: questions.csv
expected: reference_answer
graders:
  - {kind: exact, weight: 3}
  - {kind: f1}
"""
TICKETS = """\
task:
  name: tickets
  system: "Answer as JSON like {{\\"label\\": ...}}."
  turns: [{user: Hello}, {assistant: 'How can I help?'}]
  prompt: "Ticket of {customer.name}: {text}"
  schema: {type: object, required: [label], properties: {label: {enum: [bill, outage]}, sure: {type: number}}}
  repair: {prompt: "Mend {answer} for {text}: {problems}"}
dataset: tickets.jsonl
graders: [{kind: exact, pointer: /label, column: label, must_pass: true}, {kind: numeric, pointer: /sure, min: 0.5}]
"""
TICKET = '{"text": "no power", "customer": {"name": "Ann"}, "label": "outage"}\n'


def suite(folder, text=SUITE, name="questions.csv", data=QUESTIONS):
    (folder / name).write_text(data)
    (folder / "mine.yaml").write_text(text)
    return load_suite(str(folder / "mine.yaml"))


def asked(loaded, place=0):
    case = loaded.cases[place]
    return task_of(loaded.asked(), case), case


def test_a_text_task_needs_only_the_columns_that_it_names(tmp_path):
    loaded = suite(tmp_path)
    assert (loaded.name, loaded.task, loaded.strategies) == ("mine", "mine", ())
    task, case = asked(loaded, 1)
    prompt = task.draft_prompt(case.body)
    assert (prompt.system, prompt.user, prompt.max_tokens) == ("", "[urgent] My bill is wrong", 100)
    assert case.body == {"question": "[urgent] My bill is wrong"}
    assert re.fullmatch("case-[0-9a-f]{12}", case.case_id)
    assert case.where.endswith("questions.csv:3")
    assert (task.repair_override, task.event_stem) == (None, "assist.mine")
    assert task.payload(task.parse(" Sorry! ")) == {"answer": "Sorry!"}
    with pytest.raises(BadOutputError, match="empty"):
        task.parse("  \n")


def test_graders_make_the_score_by_their_weights(tmp_path):
    task, case = asked(suite(tmp_path))
    right, wrong = (task.grade(answer, case.body) for answer in ("4", "It is 4"))
    assert right.score == 1.0
    assert wrong.score == pytest.approx((3 * 0 + 1 * 0.5) / 4)  # one of three words, one of one: F1 is a half
    assert [(said.grader, said.score, said.passed) for said in wrong.said] == [
        ("exact", 0.0, False),
        ("f1", 0.5, False),
    ]


def test_one_that_must_pass_decides_and_one_without_a_weight_does_not(tmp_path):
    task, case = asked(
        suite(
            tmp_path,
            SUITE.replace("weight: 3", "weight: 0").replace("f1}", "f1, must_pass: true, threshold: 0.5}"),
        )
    )
    assert task.grade("It is 4", case.body).score == 0.5
    assert task.grade("It is all of 4", case.body).score == 0.0


def test_a_json_task_has_turns_nested_columns_and_a_repair(tmp_path):
    task, case = asked(suite(tmp_path, TICKETS, "tickets.jsonl", TICKET))
    prompt = task.draft_prompt(case.body)
    assert prompt.system == 'Answer as JSON like {"label": ...}.'
    assert prompt.messages == [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "How can I help?"},
        {"role": "user", "content": "Ticket of Ann: no power"},
    ]
    assert prompt.output_schema["required"] == ["label"]
    answer = task.parse('Sure:\n```json\n{"label": "gas", "sure": 1}\n```')
    (broken,) = task.validate(answer)
    assert broken.message.startswith("$.label: 'gas' is not one of")
    mending = task.repair_prompt(case.body, answer, [broken])
    assert mending.user.startswith('Mend {"label": "gas", "sure": 1} for no power: - $.label')
    good = task.parse('{"label": "outage", "sure": 0.9}')
    assert (list(task.validate(good)), task.grade(good, case.body).score) == ([], 1.0)
    assert task.grade({"label": "bill", "sure": 1}, case.body).score == 0.0
    assert task.payload(good) == good
    with pytest.raises(BadOutputError, match="is not one of"):
        task.simple_repair(answer)


def test_a_repair_may_be_asked_for_by_score_and_only_once(tmp_path):
    text = SUITE.replace(
        "  max_tokens: 100\n", '  repair: {when: grader, below: 0.6, prompt: "{question} Not {answer}."}\n'
    )
    task, case = asked(suite(tmp_path, text))
    assert [one.code for one in task.validate("5")] == ["score"]
    assert task.repair_prompt(case.body, "5", task.validate("5")).user == "What is 2+2? Not 5."
    assert list(task.validate("5")) == []
    assert task.simple_repair("5") == "5"


def test_a_task_may_stand_in_a_file_of_its_own(tmp_path):
    (tmp_path / "task.yaml").write_text('name: qa\nprompt: "Q: {question}"\n')
    loaded = suite(tmp_path, SUITE.replace(SUITE[: SUITE.index("dataset")], "task: ./task.yaml\n"))
    task, case = asked(loaded)
    assert (loaded.task, task.draft_prompt(case.body).user) == ("qa", "Q: What is 2+2?")


def test_what_is_asked_is_part_of_the_digest(tmp_path):
    first = suite(tmp_path).digest
    assert suite(tmp_path, SUITE.replace("{question}", "{question} Be brief.")).digest != first
    assert suite(tmp_path, data=QUESTIONS.replace("2+2", "2+3")).digest != first


def test_equal_rows_are_cases_of_their_own(tmp_path):
    loaded = suite(tmp_path, data="question,reference_answer\na,b\na,b\n")
    first, second = (case.case_id for case in loaded.cases)
    assert second == f"{first}-2"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{question}", "{questoin}", "questions.csv:2: there is no column 'questoin' (there is: question, reference_answer, industry), but"),
        ("{question}", "{question", "mine.yaml:2: a brace stands alone"),
        ("{question}", "{a!r}", "mine.yaml:2: '{a!r}' names no column"),
        ("expected: reference_answer", "expected: reference", "questions.csv:2: there is no column 'reference'"),
        ("expected: reference_answer\n", "", "mine.yaml:6: grader 'exact' is told nowhere what to expect"),
        ("questions.csv", "question.csv", "mine.yaml:4: there is no data set 'question.csv'"),
        ("max_tokens", "max_token", "mine.yaml:3: 'task.written here.max_token': there is no such key (there are: answer,"),
        ("kind: exact", "kind: exact, wieght: 1", "mine.yaml:7: 'graders.0.exact.wieght': there is no such key (there are: column,"),
        ("kind: exact", "kind: equals", "mine.yaml:7: 'graders.0': expected a plug-in's name, a path"),
        ("kind: exact", "kind: exact, pointer: /label", "mine.yaml:7: '/label' leads nowhere: the task's answer is a text"),
        ("kind: f1", "kind: numeric", "mine.yaml:8: the task's answer is a text: say which number of it"),
        ("{kind: f1}", "./graders.py:polite", "mine.yaml:8: there is no file './graders.py'"),
        ("{kind: f1}", "polite", "mine.yaml:8: 'graders': no grader 'polite'; there are"),
        ("max_tokens: 100", "answer: text\n  schema: {}", "a text has no schema"),
        ("max_tokens: 100", "schema: {type: 5}", "not a JSON schema"),
        ("max_tokens: 100", "repair: {prompt: again}", "a text breaks no schema"),
        ("max_tokens: 100", "turns: [{user: a, assistant: b}]", "a turn is of `user` or of `assistant`"),
        (SUITE[: SUITE.index("dataset")], "task: task.yaml\n", "mine.yaml:1: there is no task file 'task.yaml'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_with_file_and_line(tmp_path, old, new, problem):
    assert old in SUITE
    with pytest.raises(ConfigError, match=re.escape(problem)) as found:
        suite(tmp_path, SUITE.replace(old, new, 1))
    assert "\n" not in str(found.value)


def test_a_pointer_that_the_schema_does_not_have_is_refused(tmp_path):
    with pytest.raises(
        ConfigError,
        match=r"mine.yaml:9: '/lable' leads nowhere: the schema has no 'lable' \(it has: label, sure\)",
    ):
        suite(tmp_path, TICKETS.replace("pointer: /label", "pointer: /lable"), "tickets.jsonl", TICKET)


def test_an_unknown_task_is_named_with_its_line(tmp_path):
    loaded = suite(tmp_path, "\ntask: nowhere\ndataset: questions.csv\n", data="brief\nHire or wait?\n")
    with pytest.raises(ConfigError, match=r"mine.yaml:2: 'task': no task 'nowhere'; there are draft_graph"):
        loaded.asked()
