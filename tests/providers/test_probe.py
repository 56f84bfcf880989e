"""A probe says what an endpoint really does, and writes an entry under which it answers."""

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from harness.cli.app import main
from harness.clock import SYSTEM_CLOCK
from harness.emulator import EmulatorSettings, running_emulator
from harness.orchestration.routing import resolve_routing
from harness.providers import build_adapter
from harness.providers.limits import allowances
from harness.providers.probing import probe, usage_places
from harness.records import Usage
from tests.providers.asking import PLAIN, ask
from tests.providers.wire import Asked, Reply, sse, wire_server


def odd(asked: Asked) -> Reply:
    """A made-up gateway: no streams, usage under another name, another model, its own bill and limits."""
    if "stream_options" in asked.body:
        refusal = {"error": {"message": "stream_options is not supported"}}
        return Reply([json.dumps(refusal)], status=400, content_type="application/json")
    if asked.body.get("stream"):
        return Reply([json.dumps({"error": {"message": "no streaming here"}})], status=501)
    body = {
        "id": "odd-1",
        "model": "odd-large-v7",
        "choices": [{"index": 0, "finish_reason": "eos", "message": {"role": "assistant", "content": "OK"}}],
        "x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}},
        "cost_estimate": 0.00042,
    }
    headers = {
        "x-generation-id": "gen-77",
        "x-ratelimit-limit-requests": "14400",
        "x-ratelimit-remaining-requests": "14399",
        "x-ratelimit-reset-requests": "6s",
    }
    return Reply([json.dumps(body)], content_type="application/json", headers=headers)


@contextmanager
def odd_server() -> Any:
    """The gateway in a loop of its own: the command runs one too."""
    loop, url = asyncio.new_event_loop(), []
    started = asyncio.run_coroutine_threadsafe

    async def serve(stop: asyncio.Event, ready: asyncio.Event) -> None:
        async with wire_server(odd) as server:
            url.append(server.url)
            ready.set()
            await stop.wait()

    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = started(serve(stop, ready), loop)
    started(ready.wait(), loop).result(10)
    try:
        yield url[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        streams = capfd.readouterr()
        return code, streams.out, streams.err

    return run


def test_an_odd_server_gets_an_entry_that_works(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("ODD_KEY", "canary-key-0123456789")
    file = tmp_path / "providers.json"
    file.write_text(
        json.dumps({"defaults": {"provider": "openai"}, "providers": {"mine": {"kind": "openai"}}})
    )
    with odd_server() as url:
        new = ("--base-url", f"{url}/v1", "--model", "odd-large", "--key-env", "ODD_KEY")
        code, text, error = run("providers", "probe", "odd", *new, "--write", file, "--json")
        assert (code, error) == (0, "")
        told = json.loads(text)
        assert "canary" not in text
        assert told["entry"] == {
            "kind": "openai",
            "base_url": f"{url}/v1",
            "api_key_env": "ODD_KEY",
            "stream": False,
            "cost": "provider",
        }
        whole = told["whole"]
        assert whole["usage_at"] == ["x_groq.usage"]
        assert (whole["finish_reason"], whole["served_model"]) == ("eos", "odd-large-v7")
        assert (whole["request_id"], whole["request_id_header"]) == ("gen-77", "x-generation-id")
        assert whole["provider_cost_usd"] == 0.00042
        assert (whole["rate_limits"][0]["kind"], whole["rate_limits"][0]["window_s"]) == ("requests", 86400)
        assert (told["streamed"]["http_status"], told["priced"]) == (501, False)
        written = json.loads(file.read_text())
        assert (written["defaults"], list(written["providers"])) == ({"provider": "openai"}, ["mine", "odd"])

        route = resolve_routing({"ODD_KEY": "canary-key-0123456789"}, config_path=file).route_to(
            "odd", "odd-large"
        )
        answer = asyncio.run(ask(build_adapter(route.settings, route.model), PLAIN))
        assert (answer.text, answer.usage) == ("OK", Usage(input_tokens=9, output_tokens=1))
        assert route.settings.cost == "provider"

        code, text, _ = run("providers", "probe", "odd", "--config", file, "--model", "odd-large")
        assert code == 0
        for shown in (
            "x_groq.usage",
            "odd-large-v7",
            "gen-77 (x-generation-id)",
            "$0.00042",
            "14400 requests a day",
        ):
            assert shown in text


def test_the_emulator_is_told_as_it_is(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-canary")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123")
    with running_emulator(EmulatorSettings(speed=200)) as emulator:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", emulator.base_url)
        monkeypatch.setenv("OPENAI_BASE_URL", emulator.openai_base_url)
        code, text, _ = run("providers", "probe", "anthropic", "--json")
        told = json.loads(text)
        assert (code, told["priced"]) == (0, True)
        assert told["streamed"]["usage_at"] == [
            "message.usage of event message_start",
            "usage of event message_delta",
        ]
        assert told["whole"]["usage_at"] == ["usage"]
        assert (told["streamed"]["came_streamed"], told["whole"]["came_streamed"]) == (True, False)
        code, text, _ = run("providers", "probe", "openai", "--model", "gpt-4o-mini", "--json")
        told = json.loads(text)
        assert (code, told["streamed"]["says_done"], told["streamed"]["usage_at"]) == (
            0,
            True,
            ["usage of a chunk"],
        )
        assert told["entry"] == {
            "kind": "openai",
            "base_url": emulator.openai_base_url,
            "api_key_env": "OPENAI_API_KEY",
        }


def test_what_cannot_be_probed_is_one_sentence(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123")
    for name in ("OPENAI_BASE_URL", "PROVIDERS_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    for arguments, said in (
        (("openai",), "--live sends it two tiny paid requests"),
        (("nobody",), "unknown provider 'nobody'"),
        (("fixtures",), "no endpoint to probe"),
        (("x", "--base-url", "http://127.0.0.1:9/v1"), "name one"),
        (("x", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--key-env", "NO_SUCH"), "is not set"),
    ):
        code, _, error = run("providers", "probe", *arguments)
        assert (code, said in error) == (2, True), error
    file = tmp_path / "providers.json"
    code, text, _ = run(
        "providers", "probe", "x", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--write", file
    )
    assert (code, "no entry" in text, file.exists()) == (1, True, False)


async def test_a_provider_that_streams_unasked_is_seen_to(adapter_at: Any) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "OK"}, "finish_reason": "stop"}]}
    usage = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    async with wire_server([Reply(sse(chunk, usage, "[DONE]"))]) as server:
        adapter = adapter_at("openai", f"{server.url}/v1")
        found = await probe(adapter._settings, "gpt-4o-mini")
        await adapter.aclose()
    assert (found.whole.asked_streamed, found.whole.came_streamed, found.whole.is_answered) == (
        False,
        True,
        True,
    )
    assert found.whole.usage == Usage(input_tokens=9, output_tokens=1)


@pytest.mark.parametrize(
    ("told", "places"),
    [
        ({"usage": {"prompt_tokens": 1}}, ["usage"]),
        ({"choices": [{"usage": {"total_tokens": 1}}]}, ["choices[0].usage"]),
        ({"usageMetadata": {"promptTokenCount": 1}}, ["usageMetadata"]),
        ({"usage": {"prompt_tokens": None}}, []),
        ([1, "x", None], []),
    ],
)
def test_usage_is_found_wherever_it_stands(told: object, places: list[str]) -> None:
    assert usage_places(told) == places


@pytest.mark.parametrize(
    ("headers", "window_s", "window_from"),
    [
        ({"x-ratelimit-limit-requests": "14400", "x-ratelimit-remaining-requests": "14399",
          "x-ratelimit-reset-requests": "6s"}, 86400, "reset"),
        ({"x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "15000",
          "x-ratelimit-reset-tokens": "30s"}, 60, "reset"),
        ({"x-ratelimit-limit-req-10-second": "10", "x-ratelimit-remaining-req-10-second": "9"}, 10, "name"),
        ({"anthropic-ratelimit-input-tokens-limit": "9", "anthropic-ratelimit-input-tokens-remaining": "9",
          "anthropic-ratelimit-input-tokens-reset": "2026-11-30T00:00:00Z"}, 60, "assumed"),
    ],
)  # fmt: skip
def test_a_limits_window_is_told_or_follows_or_is_assumed(
    headers: Any, window_s: float, window_from: str
) -> None:
    (limit,) = allowances(headers, SYSTEM_CLOCK.now())
    assert (limit.window_s, limit.window_from) == (window_s, window_from)
