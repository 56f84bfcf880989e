import json
import subprocess
import sys
import typing
from collections import Counter
from importlib.resources import files

import anthropic.types.model
import openai.types.shared.chat_model
import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS

from harness.emulator import EmulatorSettings, running_emulator
from harness.errors import ConfigError
from harness.pricing import PriceBook
from harness.providers import (
    ProviderSettings,
    Structured,
    build_adapter,
    capabilities_of,
    default_model,
    provider_kinds,
    register_provider,
)
from harness.providers.fixtures import FixturesAdapter
from harness.records import Prompt, Role


def sdk_models(kind: str) -> set[str]:
    union = {
        "anthropic": anthropic.types.model.Model,
        "openai": openai.types.shared.chat_model.ChatModel,
    }[kind]
    literals = [union, *typing.get_args(union)]
    return {name for literal in literals for name in typing.get_args(literal) if isinstance(name, str)}


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_auto_means_a_model_that_the_installed_sdk_knows_and_that_has_a_price(kind: str) -> None:
    assert default_model(kind) in sdk_models(kind)
    assert default_model(kind) not in DEPRECATED_MODELS
    assert PriceBook.load().require(kind, default_model(kind)).priced_as == default_model(kind)


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_every_model_of_the_installed_sdk_has_a_rule_of_its_own(kind: str) -> None:
    assert sdk_models(kind)
    assert [name for name in sorted(sdk_models(kind)) if not capabilities_of(kind, name).known] == []


def test_what_models_accept() -> None:
    assert capabilities_of("anthropic", "claude-3-5-sonnet-20241022").structured is Structured.TOOL
    assert capabilities_of("anthropic", "claude-3-5-sonnet-20241022").sampling
    assert not capabilities_of("anthropic", default_model("anthropic")).sampling
    assert capabilities_of("openai", "gpt-4").structured is Structured.FENCED
    assert capabilities_of("openai", "gpt-3.5-turbo").structured is Structured.JSON_OBJECT
    assert capabilities_of("openai", "gpt-4o-mini").structured is Structured.JSON_SCHEMA
    assert capabilities_of("openai", "o3").limit_field == "max_completion_tokens"
    assert not capabilities_of("openai", "llama-3.3-70b").known


@pytest.mark.parametrize(("kind", "model"), [("fixtures", "fixture-v1"), ("anthropic", "claude-sonnet-5-5")])
def test_auto_is_resolved_when_the_adapter_is_built(kind: str, model: str) -> None:
    settings = ProviderSettings(name="mine", kind=kind, api_key="sk-ant-canary-000")
    adapter = build_adapter(settings, "auto")
    assert (adapter.name, adapter.model) == ("mine", model)
    assert "canary" not in repr(adapter)
    assert "canary" not in repr(settings)


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ConfigError, match=r"known kinds: .*anthropic.*fixtures.*openai"):
        build_adapter(ProviderSettings(name="x", kind="grpc"), "m")


def test_a_registered_kind_without_a_default_needs_a_model_by_name() -> None:
    register_provider("plain-kind", FixturesAdapter)
    settings = ProviderSettings(name="mine", kind="plain-kind")
    assert "plain-kind" in provider_kinds()
    assert build_adapter(settings, "m1").model == "m1"
    with pytest.raises(ConfigError, match="no default model"):
        build_adapter(settings, "auto")


def test_a_shipped_kind_cannot_be_replaced() -> None:
    with pytest.raises(ConfigError, match="cannot be replaced"):
        register_provider("openai", FixturesAdapter)


def test_no_sdk_is_imported_before_it_is_used() -> None:
    script = (
        "import sys, harness.providers as p\n"
        "p.build_adapter(p.ProviderSettings(name='f', kind='fixtures'), 'auto')\n"
        "print(sorted({'anthropic', 'openai', 'httpx2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_adapter_is_warm_when_it_is_built_and_has_touched_no_network() -> None:
    """In a fresh process whose sockets cannot connect: the SDKs' first request has nothing left to build."""
    script = (
        "import socket\n"
        "def refuse(*args, **kwargs): raise AssertionError('a connection while building')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import harness.providers as p\n"
        "for kind in ('anthropic', 'openai'):\n"
        "    p.build_adapter(p.ProviderSettings(name=kind, kind=kind, api_key='k'), 'auto')\n"
        "from harness.providers.warmup import tls_context\n"
        "print(tls_context.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
async def test_every_emulated_model_takes_what_we_think_it_takes() -> None:
    """The emulator is strict and has a table of its own: a 400 or a second request would show a difference."""
    families = json.loads(files("harness.emulator").joinpath("models.json").read_text("utf-8"))["families"]
    schema = {
        "type": "object",
        "properties": {"score": {"type": "number"}},
        "required": ["score"],
        "additionalProperties": False,
    }
    prompt = Prompt(
        role=Role.JUDGE, system="You judge.", user="Judge it.", output_schema=schema, temperature=0.0
    )
    with running_emulator(EmulatorSettings(speed=1000)) as emulator:
        urls = {"anthropic": emulator.base_url, "openai": emulator.openai_base_url}
        known = [f for f in families if f["wire"] in urls and not f.get("responses_only")]
        for kind, model in [(family["wire"], model) for family in known for model in family["ids"]]:
            settings = ProviderSettings(name=kind, kind=kind, base_url=urls[kind], api_key="sk-ant-x")
            adapter = build_adapter(settings, model)
            await adapter.generate(prompt, call_id=model, timeout_s=20)
            await adapter.aclose()
        asked = Counter(entry.call_id for entry in emulator.app.engine.ledger.entries)
    assert len(asked) >= 40
    assert {model: count for model, count in asked.items() if count != 1} == {}
