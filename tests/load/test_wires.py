"""Scenarios of bare models on the emulator: tokens and dollars are those of its ledger, on every wire."""

from decimal import Decimal

import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.records import CostSource, ProviderMode, RequestStatus
from tests.load.asking import ask_once, case_of, shipped, written

GEMINI = """\
path: /v1beta/models/{model}:streamGenerateContent
query: {alt: sse}
headers: {x-goog-api-key: local}
body: {contents: [{role: user, parts: [{text: "{brief}"}]}]}
provider: gemini
stream: sse
answer: {wire: gemini}
"""
CONVERSE = """\
path: /model/{model}/converse
headers: {Authorization: Bearer local}
body: {messages: [{role: user, content: [{text: "{brief}"}]}]}
provider: bedrock
answer: {wire: bedrock}
"""
WHOLE_CHAT = """\
path: /v1/chat/completions
headers: {Authorization: Bearer local}
body: {model: "{model}", messages: [{role: user, content: "{brief}"}]}
provider: openai
success: {exists: /choices/0/message/content}
answer: {text: /choices/0/message/content, model: /model, usage: openai, id: /id}
"""


@pytest.fixture(scope="module")
def emulator():
    with running_emulator(EmulatorSettings(speed=200, seed=7)) as running:
        yield running


@pytest.mark.parametrize(
    ("scenario", "model", "streamed"),
    [
        ("openai-chat", "gpt-4o-mini", True),
        ("openai-responses", "gpt-4o-mini", True),
        ("anthropic-messages", "claude-3-5-sonnet-20241022", True),
        (GEMINI, "gemini-2.5-flash", True),
        (CONVERSE, "amazon.nova-lite-v1:0", False),
        (WHOLE_CHAT, "gpt-4o-mini", False),
    ],
    ids=["chat", "responses", "messages", "gemini", "converse", "by pointers"],
)
def test_tokens_and_dollars_are_those_of_the_emulators_ledger(emulator, tmp_path, scenario, model, streamed):
    if "\n" in scenario:
        exchange = written(tmp_path, scenario, emulator.base_url, env={}, model=model)
    else:
        exchange = shipped(scenario, emulator.base_url, model=model)
    answer = ask_once(exchange, emulator.base_url, case_of(brief="Should we raise the price to $15?"))
    truth = emulator.settled()[-1]
    assert answer.status is RequestStatus.OK, answer.error_text
    columns = answer.columns
    assert (columns["draft_input_tokens"], columns["draft_output_tokens"]) == (
        truth.input_tokens,
        truth.output_tokens,
    )
    assert truth.cost_usd is not None
    assert columns["cost_usd"] == Decimal(truth.cost_usd)
    assert columns["cost_source"] is CostSource.USAGE
    assert columns["provider_mode"] is ProviderMode.EMULATED
    assert answer.text
    assert (answer.chunks > 1) == streamed
