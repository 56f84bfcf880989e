"""Batches through the official SDKs: what each kind of result becomes, in whatever order it comes."""

import asyncio
import json

import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.errors import ConfigError, ProviderError
from harness.providers.base import ProviderSettings
from harness.providers.batch import BatchItem, surely_unpaid
from harness.providers.batch_registry import batch_api
from harness.records import NO_USAGE, Completion, ErrorKind, Prompt, Role, dump_json
from tests.providers.wire import RESET, Reply, wire_server

PROMPT = Prompt(role=Role.DRAFT, system="s", user="how many", max_tokens=50, output_schema={"type": "object"})
MODELS = {"anthropic": "claude-3-5-sonnet-20241022", "openai": "gpt-4o-mini"}


def api_of(kind, base_url):
    url = f"{base_url}/v1" if kind == "openai" else base_url
    settings = ProviderSettings(name=kind, kind=kind, base_url=url, api_key="sk-ant-test-key")
    return batch_api(settings, MODELS[kind])


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
async def test_results_are_mapped_by_custom_id_whatever_their_order(kind):
    with running_emulator(EmulatorSettings(speed=200, seed=3)) as emulator:
        api = api_of(kind, emulator.base_url)
        names = [f"call-{number:02d}" for number in range(12)]
        prompts = [Prompt(role=Role.DRAFT, system="s", user=f"say {name}", max_tokens=20) for name in names]
        items = [BatchItem(custom_id=n, body=api.body(p)) for n, p in zip(names, prompts, strict=True)]
        batch_id = await api.submit(items, label="batch-1")
        while not (await api.status(batch_id)).ended:  # noqa: ASYNC110 - a batch tells nobody when it ends
            await asyncio.sleep(0.02)
        found = await api.outcomes(batch_id, names)
        told = {row.call_id: row for row in emulator.settled()}
        await api.aclose()
    assert set(found) == set(names)
    for name, outcome in found.items():
        assert isinstance(outcome, Completion | ProviderError)
        used = outcome.usage
        assert (used.input_tokens, used.output_tokens) == (told[name].input_tokens, told[name].output_tokens)
        assert outcome.price_context == "batch"
        assert outcome.emulated is True
        assert outcome.ttft_ns is None


async def test_a_model_of_the_responses_route_is_batched_there() -> None:
    with running_emulator(EmulatorSettings(speed=1000)) as emulator:
        settings = ProviderSettings(
            name="openai", kind="openai", base_url=emulator.openai_base_url, api_key="sk-test-000000"
        )
        api = batch_api(settings, "o3-pro")
        prompt = Prompt(role=Role.DRAFT, system="s", user="say it", max_tokens=4000)
        batch_id = await api.submit([BatchItem(custom_id="a", body=api.body(prompt))], label="b")
        while not (await api.status(batch_id)).ended:  # noqa: ASYNC110 - a batch tells nobody when it ends
            await asyncio.sleep(0.02)
        outcome = (await api.outcomes(batch_id, ["a"]))["a"]
        (row,) = emulator.settled()
        await api.aclose()
    assert isinstance(outcome, Completion)
    assert outcome.usage is not None
    assert (outcome.usage.output_tokens, row.wire) == (row.output_tokens, "openai.responses.batch")


def openai_batch(**changes):
    batch = {
        "id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "file-1",
        "completion_window": "24h", "created_at": 1, "status": "completed", **changes,
    }  # fmt: skip
    return Reply(pieces=[dump_json(batch)], content_type="application/json")


async def openai_outcomes(asked, files, **changes):
    def answer(request):
        for name, content in files.items():
            if f"/files/{name}/" in request.path:
                return Reply(pieces=[content], content_type="application/octet-stream")
        return openai_batch(**changes)

    async with wire_server(answer) as server:
        api = api_of("openai", server.url)
        found = await api.outcomes("batch_1", asked)
        await api.aclose()
        return found


async def test_a_batch_that_failed_validation_billed_nothing():
    errors = {
        "object": "list",
        "data": [{"code": "mismatched_model", "message": "one model only", "line": 2}],
    }
    found = await openai_outcomes(["a", "b"], {}, status="failed", errors=errors)
    assert {outcome.kind for outcome in found.values()} == {ErrorKind.BAD_REQUEST}
    assert all(outcome.usage == NO_USAGE and "one model only" in str(outcome) for outcome in found.values())


@pytest.mark.parametrize(("status", "kind"), [("expired", "timeout"), ("cancelled", "cancelled")])
async def test_what_was_not_done_ended_as_its_batch_did(status, kind):
    found = await openai_outcomes(["a"], {}, status=status)
    assert (found["a"].kind, found["a"].usage) == (kind, NO_USAGE)


async def test_broken_lines_and_strange_statuses_are_no_answers():
    lines = [
        b"{half a line",
        json.dumps(
            {"custom_id": "odd", "response": {"status_code": 0, "body": None}, "error": None}
        ).encode(),
        json.dumps({"custom_id": "late", "response": None, "error": {"code": "batch_expired"}}).encode(),
    ]
    found = await openai_outcomes(
        ["gone", "odd", "late"], {"out-1": b"\n".join(lines)}, output_file_id="out-1"
    )
    assert "gone" not in found
    assert (found["odd"].kind, found["late"].kind) == (ErrorKind.UPSTREAM_5XX, ErrorKind.TIMEOUT)


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
@pytest.mark.parametrize(
    ("reply", "unpaid"),
    [
        (Reply(status=401, pieces=[b'{"error":{"message":"no"}}'], content_type="application/json"), True),
        (Reply(status=429, pieces=[b'{"error":{"message":"slow"}}'], content_type="application/json"), True),
        (Reply(status=500, pieces=[b'{"error":{"message":"oops"}}'], content_type="application/json"), False),
        (Reply(pieces=[RESET]), False),
    ],
)
async def test_only_a_refusal_says_that_nothing_can_be_billed(kind, reply, unpaid):
    stored = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": "f", "purpose": "batch", "status": "processed"}  # fmt: skip
    file = Reply(pieces=[dump_json(stored)], content_type="application/json")

    async with wire_server(lambda asked: file if asked.path.endswith("/files") else reply) as server:
        api = api_of(kind, server.url)
        with pytest.raises(ProviderError) as refused:
            await api.submit([BatchItem(custom_id="a", body=api.body(PROMPT))], label="batch-1")
        await api.aclose()
    assert surely_unpaid(refused.value) is unpaid
    assert "sk-ant" not in str(refused.value)


def test_a_kind_without_batches_is_refused():
    with pytest.raises(ConfigError, match="no batch API"):
        batch_api(ProviderSettings(name="mine", kind="fixtures"), "fixture-v1")
