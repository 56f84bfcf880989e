"""A first scenario file from a curl command: it runs, it holds no secret, and it knows the usual answers."""

import json

import pytest
import yaml

from harness.errors import HarnessError, UsageError
from harness.load.first_file import write_first_file
from harness.load.scenario.curl import draft_of
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.recognise import recognised
from tests.e2e.foreign_service import foreign_service
from tests.load.asking import ask_once, case_of, written


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("curl http://h/a", {"target": "http://h", "path": "/a"}),
        ("curl -s -X DELETE 'https://h:8443/a?x=1'", {"method": "DELETE", "query": {"x": "1"}}),
        ("curl -XPUT h/a -d '{\"q\": \"{x}\"}'", {"target": "http://h", "method": "PUT", "body": {"q": "{{x}}"}}),
        ("curl h/a --data-raw 'q=1&r=a+b'", {"form": {"q": "1", "r": "a b"}}),
        ("curl h/a -H 'Content-Type: text/plain' -d 'say {it}'", {"text": "say {{it}}"}),
        ("curl h/a \\\n  -H 'X-Version: 2' \\\n  --compressed -L", {"headers": {"X-Version": "2"}}),
        ("curl -H 'Authorization: Bearer canary-9' h/a", {"headers": {"Authorization": "Bearer ${API_TOKEN}"}}),
        ("curl -H 'x-api-key: canary-9' h/a", {"headers": {"x-api-key": "${X_API_KEY}"}}),
        ('curl -H "Authorization: Bearer $MY_KEY" h/a', {"headers": {"Authorization": "Bearer ${MY_KEY}"}}),
        ("curl 'h/a?api_key=canary-9' -b 'sid=canary-9'", {"query": {"api_key": "${API_KEY}"}, "headers": {"Cookie": "${COOKIE}"}}),
    ],
)  # fmt: skip
def test_what_a_curl_command_sends_is_what_the_file_says(tmp_path, command, fields):
    draft = draft_of(command)
    assert {name: draft.fields.get(name) for name in fields} == fields
    text = draft.text({})
    assert "canary" not in text
    (tmp_path / "s.yaml").write_text(text)
    read_scenario(tmp_path / "s.yaml")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("wget http://h", "no curl command"),
        ("curl 'http://h", "cannot be read"),
        ("curl -X POST", "names no URL"),
        ("curl h -d", "ends after -d"),
        ("curl h -F file=@x", "-F: files are nothing"),
        ("curl h -d @body.json", "put the data itself"),
        ("curl -u me:canary-9 h", "Authorization: Basic"),
        ('curl h -d \'{"k": "sk-abcdefghijklmnop1234"}\'', "looks like a key"),
        ("curl h -H 'content-type: application/json' -d '{oops'", "is not JSON"),
    ],
)
def test_what_no_scenario_can_send_is_one_sentence(command, sentence):
    with pytest.raises(UsageError, match=sentence) as refused:
        draft_of(command)
    assert "canary" not in str(refused.value)


CHAT = {"model": "m", "choices": [{"message": {"content": "hi"}}], "usage": {"prompt_tokens": 1}}
SSE = b'event: tok\ndata: {"t": "a"}\n\nevent: tok\ndata: {"t": "b"}\n\nevent: end\ndata: {"usage": {"input_tokens": 1, "output_tokens": 2}, "model": "m"}\n\n'


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (CHAT, "json", {"answer": {"wire": "openai"}}),
        ({"type": "message", "content": [{"type": "text", "text": "x"}]}, "json", {"answer": {"wire": "anthropic"}}),
        ({"object": "response", "output": []}, "json", {"answer": {"wire": "responses"}}),
        ({"candidates": [{"content": {}}]}, "json", {"answer": {"wire": "gemini"}}),
        (
            {"data": {"answer": "x", "model_name": "m", "usage": {"inputTokens": 1, "outputTokens": 2}}, "cost": 0.1},
            "json",
            {"answer": {"text": "/data/answer", "model": "/data/model_name", "cost_usd": "/cost", "usage": {"shape": "bedrock", "at": "/data/usage"}}},
        ),
        ({"nothing": [1, 2]}, "json", {}),
        (b"<html>", "html", {}),
        (b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', "text/event-stream", {"stream": "sse", "answer": {"wire": "openai"}}),
        (
            SSE,
            "text/event-stream; charset=utf-8",
            {
                "stream": {"kind": "sse", "content": "event:tok#/t"},
                "answer": {"model": "event:end#/model", "usage": "anthropic"},
            },
        ),
    ],
)  # fmt: skip
def test_usual_answers_are_recognised(body, kind, found):
    assert recognised(body if isinstance(body, bytes) else json.dumps(body).encode(), kind) == found


@pytest.mark.parametrize("path", ["/v1/summarise", "/v1/stream"])
def test_a_probed_file_reads_answers_as_they_are(tmp_path, path):
    with foreign_service() as (url, ledger):
        data = json.dumps({"text": "some long text", "tenant": "acme"})
        command = f"curl {url}{path} -H 'Content-Type: application/json' -d '{data}'"
        first = write_first_file(command, tmp_path / "first.yaml", send=True)
        assert "usage" in first.found
        text = (tmp_path / "first.yaml").read_text()
        assert len(text.splitlines()) <= 25
        answer = ask_once(written(tmp_path, text, url), url, case_of())
        assert answer.columns["draft_input_tokens"] == 14
        assert answer.columns["draft_model"] == "gpt-4o-mini"
        assert answer.text
        assert len(ledger.served) == 2


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "first.yaml"
    with foreign_service() as (url, _):
        for command in (f"curl {url}/v1/summarise -d '{{}}'", "curl http://127.0.0.1:9/x"):
            with pytest.raises(HarnessError, match=r"answers 422|does not answer"):
                write_first_file(command, path, send=True)
            assert not path.exists()
    path.write_text("mine")
    with pytest.raises(HarnessError, match=r"first\.yaml: is there already"):
        write_first_file("curl http://127.0.0.1:9/x", path, send=False)
    assert path.read_text() == "mine"


def test_a_secret_goes_out_once_and_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.delenv("API_TOKEN", raising=False)
    with foreign_service() as (url, ledger):
        command = f'curl {url}/v1/summarise -H \'Authorization: Bearer canary-77\' -d \'{{"text": "x", "tenant": "a"}}\''
        first = write_first_file(command, tmp_path / "first.yaml", send=True)
    assert first.variables == ("API_TOKEN",)
    assert len(ledger.served) == 1
    fields = yaml.safe_load((tmp_path / "first.yaml").read_text())
    assert fields["headers"] == {"Authorization": "Bearer ${API_TOKEN}"}
    assert "canary" not in (tmp_path / "first.yaml").read_text()
