"""Scenario files: what is read, and the one sentence with file and line for everything that is wrong."""

import json

import pytest

from harness.errors import ConfigError, UsageError
from harness.inputs import ABSENT
from harness.load.scenario.places import Place
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.shipped import scenario_of, shipped_scenarios
from harness.records import ProviderMode
from tests.load.asking import case_of, written

PLAIN = 'path: /ask\nbody: {question: "{question}"}\n'


def asked(exchange, case, step=0):
    """Line and body of a step for a case."""
    parcel = exchange.bound.parcel(case)
    return exchange.bound.steps[step].asked(parcel.values)


def test_a_whole_value_keeps_its_type_and_inside_a_text_it_is_text(tmp_path):
    text = """\
path: /v1/{tenant}/ask
query: {lang: "{lang}", n: 3, exact: true}
headers: {X-Tenant: "t-{tenant}", X-Fixed: "yes"}
body:
  question: "{question}"
  options: "{options}"
  nested: ["{count}", "about {count} of {options}", {"{lang}": "{{literal}}"}]
  none: "{nothing}"
"""
    columns = {
        "tenant": "a b/c",
        "lang": "de",
        "question": 'a "q"',
        "options": [1, {"x": True}],
        "count": 2.5,
    }
    line, body = asked(written(tmp_path, text), case_of(**columns, nothing=None))
    assert json.loads(body) == {
        "question": 'a "q"',
        "options": [1, {"x": True}],
        "nested": [2.5, 'about 2.5 of [1, {"x": true}]', {"de": "{literal}"}],
        "none": None,
    }
    assert line.path == "/v1/a%20b%2Fc/ask?lang=de&n=3&exact=true"
    headers = dict(line.headers)
    assert (headers["X-Tenant"], headers["X-Fixed"]) == ("t-a b/c", "yes")


def test_forms_texts_and_methods(tmp_path):
    form = written(tmp_path, 'path: /f\nmethod: PUT\nform: {q: "{q}", fixed: "a&b"}\n', name="f.yaml")
    line, body = asked(form, case_of(q="ü 1"))
    assert (line.method, body) == ("PUT", b"q=%C3%BC+1&fixed=a%26b")
    assert dict(line.headers)["Content-Type"] == "application/x-www-form-urlencoded"
    plain = written(tmp_path, 'path: /t\ntext: "say {q}"\n', name="t.yaml")
    assert asked(plain, case_of(q="hi"))[1] == b"say hi"
    line, body = asked(written(tmp_path, "path: /g\n", name="g.yaml"), case_of())
    assert (line.method, body) == ("GET", None)


def test_headers_take_values_from_the_environment_and_keep_them_secret(tmp_path):
    text = 'path: /x\nheaders: {Authorization: "Bearer ${STAGING_TOKEN}"}\nquery: {key: "${Q_KEY}"}\n'
    env = {"STAGING_TOKEN": "canary{1}", "Q_KEY": "canary-2"}
    exchange = written(tmp_path, text, env=env)
    line, _ = asked(exchange, case_of())
    assert dict(line.headers)["Authorization"] == "Bearer canary{1}"
    assert line.path == "/x?key=canary-2"
    assert {"canary{1}", "Bearer canary{1}", "canary-2"} <= set(exchange.bound.secrets)
    with pytest.raises(
        UsageError, match=r"own\.yaml:2: the environment variable STAGING_TOKEN .* is not set"
    ):
        written(tmp_path, text, env={})


def test_hosts_say_where_provider_mode_and_keys_hold(tmp_path):
    text = 'path: /x\nhosts: [api.example.com]\nprovider: acme\nmode: live\nheaders: {X-Key: "${ACME_KEY}"}\n'
    env = {"ACME_KEY": "canary-3"}
    there = written(tmp_path, text, "https://api.example.com", env=env)
    assert there.bound.holds
    assert dict(asked(there, case_of())[0].headers)["X-Key"] == "canary-3"
    elsewhere = written(tmp_path, text, "https://other.example.com", env=env)
    assert not elsewhere.bound.holds
    assert "X-Key" not in dict(asked(elsewhere, case_of())[0].headers)


WRONG = {
    "no path": ("body: {a: 1}\n", r"`path` is missing"),
    "no such key": (PLAIN + "pth: /x\n", r"s\.yaml:3: 'pth': there is no such key \(there are: .*path"),
    "no such answer": (PLAIN + "answer:\n  tekst: /x\n", r"s\.yaml:4: 'answer\.tekst': there is no such key"),
    "no place": (
        PLAIN + "answer:\n  text: summary\n",
        r"s\.yaml:4: 'summary' is no place in an answer: write a JSON",
    ),
    "bad pointer": (PLAIN + "answer: {text: /a~2}\n", r"s\.yaml:3: '/a~2' is no JSON pointer"),
    "event without stream": (PLAIN + 'answer: {text: "event:x#/y"}\n', r"s\.yaml:3: .* is not `stream: sse`"),
    "brace alone": ('path: /ask\nbody: {q: "{oops"}\n', r"s\.yaml:2: a brace stands alone"),
    "brace in a header": ('path: /a\nheaders: {X: "}"}\n', r"s\.yaml:2: a brace stands alone"),
    "usage neither way": (PLAIN + "answer: {usage: {input: /i}}\n", r"s\.yaml:3: .*`input` and `output`"),
    "usage both ways": (PLAIN + "answer: {usage: {shape: openai, input: /i}}\n", r"not both"),
    "no such shape": (PLAIN + "answer: {usage: acme}\n", r"s\.yaml:3: 'answer\.usage\.shape': .*'openai'"),
    "two bodies": (PLAIN + "text: x\n", r"one of `body` \(JSON\), `text` and `form`"),
    "a GET with a body": (PLAIN + "method: GET\n", r"a GET has no body"),
    "no such cases": (PLAIN + "cases: nowhere.csv\n", r"s\.yaml:3: there is no file 'nowhere\.csv' beside"),
    "no such status": (PLAIN + "success: 99\n", r"s\.yaml:3: 'success\.status\.0'"),
    "no expression": (PLAIN + 'success: {matches: {/a: "("}}\n', r"s\.yaml:3: '\(' is no regular expression"),
    "price without provider": (PLAIN + "price: gpt-4o\n", r"s\.yaml:3: whose price of 'gpt-4o' is meant"),
    "price of neither": (PLAIN + "price: {}\n", r"usd_per_hour: 2\.50"),
    "tag name": (PLAIN + 'tags: {Plan-A: "{x}"}\n', r"s\.yaml:3: 'tags\.Plan-A'"),
    "step without a path": ("steps:\n  - {name: a}\n", r"step 'a' has no `path`"),
    "steps beside a path": (
        "path: /x\nsteps:\n  - {name: a, path: /a}\n",
        r"`path` belongs into one of the `steps`",
    ),
    "two steps of a name": ("steps:\n  - {name: a, path: /a}\n  - {name: a, path: /b}\n", r"same name"),
    "a poll that says nothing": (
        "steps:\n  - name: a\n    path: /a\n    poll: {until: {}}\n",
        r"s\.yaml:4: 'steps\.0\.poll': `until` says nothing",
    ),
    "errors of chunks": (PLAIN + "stream: {kind: chunks, error: x}\n", r"chunks have no events"),
    "no such stream": (PLAIN + "stream: websocket\n", r"s\.yaml:3: 'stream\.kind': .*'sse'"),
    "twice": ("path: /a\npath: /b\n", r"s\.yaml:2: .*'path'"),
    "not a mapping": ("- path\n", r"not a mapping"),
}


@pytest.mark.parametrize(("text", "sentence"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_one_sentence_with_its_line(tmp_path, text, sentence):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(ConfigError, match=sentence) as refused:
        read_scenario(tmp_path / "s.yaml")
    assert "\n" not in str(refused.value)


def test_a_missing_column_names_both_lines_and_what_there_is(tmp_path):
    exchange = written(tmp_path, PLAIN)
    with pytest.raises(ConfigError) as refused:
        exchange.bound.parcel(case_of(query="x", answer="y"))
    assert str(refused.value) == (
        f"cases.jsonl:1: there is no column 'question' (there is: query, answer), "
        f"but {tmp_path / 'own.yaml'}:2 asks for it"
    )


def test_a_header_that_a_case_cannot_fill_is_refused_before_it_is_sent(tmp_path):
    exchange = written(tmp_path, 'path: /x\nheaders: {X-Name: "{name}"}\n')
    with pytest.raises(ConfigError, match=r"own\.yaml:2: the header X-Name .* printable ASCII"):
        exchange.bound.parcel(case_of(name="a\r\nX-Evil: 1"))


def test_an_unknown_price_is_refused_with_its_line(tmp_path):
    text = PLAIN + "answer: {usage: openai}\nprice: openai/gpt-nope\n"
    with pytest.raises(ConfigError, match=r"own\.yaml:4: no price is known for openai/gpt-nope"):
        written(tmp_path, text)


def test_what_ships_is_read_and_says_what_it_was():
    found = {name: scenario_of(name) for name in shipped_scenarios()}
    assert list(found) == ["anthropic-messages", "baseline", "openai-chat", "openai-responses", "stream"]
    assert {name: scenario.name for name, scenario in found.items()} == {name: name for name in found}
    assert found["baseline"].task == found["stream"].task == "draft_graph"
    assert found["openai-chat"].mode is ProviderMode.LIVE


def test_a_scenario_that_ships_can_be_written_out_and_changed(tmp_path):
    text = shipped_scenarios()["openai-chat"].read_text().replace("hosts: [api.openai.com]", "hosts: []")
    (tmp_path / "ours.yaml").write_text(text)
    ours = read_scenario(tmp_path / "ours.yaml")
    assert (ours.name, ours.cases) == ("ours", scenario_of("openai-chat").cases)


@pytest.mark.parametrize(
    ("text", "body", "value"),
    [
        ("/a/b", {"a": {"b": 1}}, 1),
        ("/a~1b/m~0n", {"a/b": {"m~n": 2}}, 2),
        ("/items/1", {"items": [1, 5]}, 5),
        ("/items/-", {"items": [1, 5]}, 5),
        ("/items/x", {"items": [1]}, None),
        ("/items/7", {"items": [1]}, None),
        ("/a/b", {"a": "text"}, None),
        ("/", {"": 3}, 3),
    ],
)
def test_pointers(text, body, value):
    found = Place.parse(text, "s.yaml:1").within(body)
    assert found is ABSENT if value is None else found == value
