"""Each fault, at each wire, streamed and not: what the SDK sees, and what the ledger says."""

import anthropic
import httpx2
import openai
import orjson
import pytest

from harness.emulator import (
    EmulatorSettings,
    FaultKind,
    FaultRule,
    RunningEmulator,
    load_rules,
    running_emulator,
)
from harness.emulator.draws import Draws
from harness.emulator.faults import FaultPlan, rule_from_header
from harness.errors import ConfigError, UsageError

STATUSES = {
    "rate_limited": 429,
    "overloaded": 529,
    "server_error": 500,
    "unavailable": 503,
    "gateway_timeout": 504,
}
BROKEN = ("reset", "cut", "malformed_body")
SPOILT = {
    "empty": ("end_turn", "stop"),
    "refusal": ("refusal", "stop"),
    "content_filter": ("refusal", "content_filter"),
    "truncated": ("max_tokens", "length"),
    "malformed_json": ("end_turn", "stop"),
    "wrong_schema": ("end_turn", "stop"),
}
BRIEF = "<brief>We have $40,000. Should we hire two people, or buy the tool for $9,000?</brief>"


@pytest.fixture(scope="module")
def sdks(claude, gpt):
    return {"anthropic": claude, "openai": gpt}


def ask(sdks: dict, wire: str, fault: str, call_id: str, *, stream: bool):
    """The text and finish reason that the SDK assembled."""
    headers = {"X-Emulate-Fault": fault, "X-Client-Request-Id": call_id}
    common = {"messages": [{"role": "user", "content": BRIEF}], "extra_headers": headers}
    if wire == "anthropic":
        claude = sdks["anthropic"]
        create = {"model": "claude-3-5-sonnet-20241022", "max_tokens": 4000, **common}
        if not stream:
            message = claude.messages.create(**create)
        else:
            with claude.messages.stream(**create) as events:
                message = events.get_final_message()
        return "".join(block.text for block in message.content), message.stop_reason
    gpt = sdks["openai"]
    if not stream:
        choice = gpt.chat.completions.create(model="gpt-4o", **common).choices[0]
        return choice.message.content or "", choice.finish_reason
    choices = [c.choices[0] for c in gpt.chat.completions.create(model="gpt-4o", stream=True, **common)]
    return "".join(c.delta.content or "" for c in choices), choices[-1].finish_reason


def recorded(emulator: RunningEmulator, call_id: str):
    return next(entry for entry in emulator.settled() if entry.call_id == call_id)


wires = pytest.mark.parametrize("wire", ["anthropic", "openai"])
modes = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@wires
@modes
@pytest.mark.parametrize("fault", STATUSES)
def test_a_status_fault_is_that_status_and_bills_nothing(emulator, sdks, wire, stream, fault):
    call_id = f"{fault}-{wire}-{stream}"
    with pytest.raises((anthropic.APIStatusError, openai.APIStatusError)) as caught:
        ask(sdks, wire, f"{fault};retry_after_ms=1500", call_id, stream=stream)
    headers = caught.value.response.headers
    assert caught.value.status_code == STATUSES[fault]
    assert headers["x-harness-emulated"] == "1"
    waits = STATUSES[fault] in (429, 503, 529)
    assert (headers.get("retry-after"), headers.get("retry-after-ms")) == (
        ("2", "1500") if waits else (None, None)
    )
    entry = recorded(emulator, call_id)
    assert (entry.fault, entry.status, entry.outcome, entry.cost_usd) == (
        fault,
        STATUSES[fault],
        "error",
        None,
    )


@wires
@modes
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_never_looks_whole(emulator, sdks, wire, stream, fault):
    call_id = f"{fault}-{wire}-{stream}"
    failures = (
        anthropic.APIError,
        openai.APIError,
        httpx2.TransportError,
        orjson.JSONDecodeError,
        ValueError,
    )
    with pytest.raises(failures):
        ask(sdks, wire, fault, call_id, stream=stream)
    assert recorded(emulator, call_id).fault == fault


@wires
@modes
@pytest.mark.parametrize("fault", SPOILT)
def test_a_spoilt_answer_arrives_whole(sdks, wire, stream, fault):
    text, finish = ask(sdks, wire, fault, f"{fault}-{wire}-{stream}", stream=stream)
    assert finish == SPOILT[fault][wire == "openai"]
    if fault in ("malformed_json", "truncated"):
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(text.removeprefix("```json\n"))
    elif fault == "wrong_schema":
        assert "graph" not in orjson.loads(text)
    else:
        assert text == ""


@wires
def test_an_error_in_mid_stream_follows_some_text(emulator, sdks, wire):
    call_id = f"stream_error-{wire}"
    with pytest.raises((anthropic.APIStatusError, openai.APIError)):
        ask(sdks, wire, "stream_error", call_id, stream=True)
    entry = recorded(emulator, call_id)
    assert (entry.status, entry.outcome) == (200, "error")
    assert entry.output_tokens > 0


@wires
@pytest.mark.parametrize("fault", ["slow_first_byte", "stall"])
def test_a_delay_beyond_the_clients_patience_is_a_timeout(emulator, wire, fault):
    headers = {"X-Emulate-Fault": f"{fault};delay_ms=3000"}
    hello = [{"role": "user", "content": "Hi"}]
    claude = anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0, timeout=0.4)
    gpt = openai.OpenAI(api_key="k", base_url=emulator.openai_base_url, max_retries=0, timeout=0.4)

    def read_all() -> list:
        if wire == "openai":
            return list(
                gpt.chat.completions.create(
                    model="gpt-4o", messages=hello, stream=True, extra_headers=headers
                )
            )
        ask = {"model": "claude-3-haiku-20240307", "max_tokens": 99, "messages": hello, "stream": True}
        return list(claude.messages.create(**ask, extra_headers=headers))

    with pytest.raises((anthropic.APITimeoutError, openai.APITimeoutError, httpx2.TimeoutException)):
        read_all()


def test_a_fault_of_the_first_occurrence_lets_the_retry_through():
    rule = FaultRule(kind=FaultKind.OVERLOADED, first=1)
    with running_emulator(EmulatorSettings(speed=500, faults=(rule,))) as emulator:
        hello = [{"role": "user", "content": "Hi"}]
        claude = anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0)
        with pytest.raises(anthropic.OverloadedError):
            claude.messages.create(model="claude-3-haiku-20240307", max_tokens=9, messages=hello)
        claude.messages.create(model="claude-3-haiku-20240307", max_tokens=9, messages=hello)
        assert [(e.occurrence, e.status) for e in emulator.settled()] == [(1, 529), (2, 200)]


def test_rules_can_be_changed_while_running():
    with running_emulator(EmulatorSettings(speed=500)) as emulator:
        url = f"{emulator.base_url}/_emulator/faults"
        shown = httpx2.post(url, json=[{"kind": "429", "model": "gpt-*", "rate": 0.5}]).json()
        assert shown["faults"][0]["kind"] == "rate_limited"
        refused = httpx2.post(url, json={"kind": "nonsense"})
        assert refused.status_code == 400
        assert "kind" in refused.json()["error"]
        assert len(httpx2.get(url).json()["faults"]) == 1
        assert httpx2.delete(url).json() == {"faults": []}


def test_a_rate_strikes_about_that_share_and_only_matching_models():
    plan = FaultPlan((FaultRule(kind=FaultKind.OVERLOADED, rate=0.25, model="claude-*"),))

    def strikes(model: str, n: int) -> bool:
        draws = Draws(seed=1, model=model, digest=b"x", occurrence=n)
        return plan.strike(model=model, occurrence=n, draws=draws) is not None

    assert 430 < sum(strikes("claude-x", n) for n in range(2000)) < 570
    assert not any(strikes("gpt-4o", n) for n in range(500))


def test_a_header_names_kind_and_details():
    rule = rule_from_header("503;retry_after_ms=none;after_share=0.2")
    assert (rule.kind, rule.retry_after_ms, rule.after_share) == (FaultKind.UNAVAILABLE, None, 0.2)


def test_faults_come_from_a_file_or_as_typed(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text('{"faults": [{"kind": "cut", "rate": 0.1}]}')
    assert load_rules(str(path)) == load_rules('[{"kind":"cut","rate":0.1}]')
    with pytest.raises(UsageError, match="cannot be read"):
        load_rules(str(tmp_path / "absent.json"))
    with pytest.raises(ConfigError, match="rate"):
        load_rules('{"kind":"cut","rate":7}')
    with pytest.raises(ConfigError, match="not JSON"):
        load_rules("{kind")


def test_a_wrong_fault_header_is_a_400(emulator: RunningEmulator):
    headers = {"authorization": "Bearer k", "x-emulate-fault": "nonsense"}
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    answer = httpx2.post(f"{emulator.openai_base_url}/chat/completions", json=body, headers=headers)
    assert answer.status_code == 400
    assert "X-Emulate-Fault" in answer.json()["error"]["message"]


@wires
@pytest.mark.parametrize("fault", ["cut", "stream_error"])
def test_even_the_shortest_answer_is_broken_off(emulator, sdks, wire, fault):
    headers = {"X-Emulate-Fault": f"{fault};after_share=1"}
    ask_short = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, "extra_headers": headers}
    model = "gpt-4o" if wire == "openai" else "claude-3-haiku-20240307"
    client = sdks[wire]
    create = client.chat.completions.create if wire == "openai" else client.messages.create
    with pytest.raises((anthropic.APIError, openai.APIError, httpx2.TransportError)):
        list(create(model=model, stream=True, **ask_short))
