import json
import os
import subprocess
import sys
import typing
from collections import Counter
from dataclasses import replace
from importlib.resources import files

import anthropic.types.model
import openai.types.shared.chat_model
import openai.types.shared.responses_model
import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS

from harness.clock import SYSTEM_CLOCK
from harness.emulator import EmulatorSettings, running_emulator
from harness.errors import ConfigError, UsageError
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


@pytest.mark.parametrize(("kind", "charged_by"), [("gemini", "google"), ("bedrock", "aws")])
def test_auto_means_a_model_that_has_a_price_where_no_sdk_names_any(kind: str, charged_by: str) -> None:
    assert PriceBook.load().require(charged_by, default_model(kind)).priced_as == default_model(kind)


@pytest.mark.parametrize("kind", ["gemini", "bedrock"])
def test_every_priced_model_that_chats_has_a_rule_of_its_own(kind: str) -> None:
    priced = {
        "gemini": ("google", ("gemini-2", "gemini-3", "gemini-4", "gemma-")),
        "bedrock": ("aws", ("global.anthropic", "regional.anthropic", "amazon.nova", "mistral.")),
    }
    charged_by, begins = priced[kind]
    models = [
        m for m in PriceBook.load().listed_models(charged_by, at=SYSTEM_CLOCK.now()) if m.startswith(begins)
    ]
    assert len(models) > 20
    assert [model for model in models if not capabilities_of(kind, model).known] == []


def test_a_model_of_the_responses_route_alone_is_asked_there() -> None:
    alone = typing.get_args(openai.types.shared.responses_model.ResponsesModel)[-1]
    assert len(typing.get_args(alone)) > 10
    settings = ProviderSettings(name="openai", kind="openai", api_key="k")
    for model in typing.get_args(alone):
        assert type(build_adapter(settings, model)).__name__ == "ResponsesAdapter", model
    compatible = replace(settings, kind="openai_compatible", base_url="http://127.0.0.1:1/v1")
    for made, name in [
        (build_adapter(settings, "gpt-4o-mini"), "OpenAIAdapter"),
        (build_adapter(replace(settings, api="responses"), "gpt-4o-mini"), "ResponsesAdapter"),
        (build_adapter(replace(settings, api="chat"), "o3-pro"), "OpenAIAdapter"),
        (build_adapter(compatible, "o3-pro"), "OpenAIAdapter"),
        (build_adapter(replace(compatible, api="responses"), "any"), "ResponsesAdapter"),
    ]:
        assert type(made).__name__ == name


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
    with pytest.raises(UsageError, match=r"no provider kind 'grpc'; there are anthropic.*fixtures.*openai"):
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
        "print(sorted({'anthropic', 'openai', 'httpx2', 'google.genai', 'boto3'} & set(sys.modules)))"
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
        "for kind in ('anthropic', 'openai', 'gemini', 'bedrock'):\n"
        "    p.build_adapter(p.ProviderSettings(name=kind, kind=kind, api_key='k'), 'auto')\n"
        "from harness.providers.warmup import tls_context\n"
        "print(tls_context.cache_info().currsize)"
    )
    env = os.environ | {"AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
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
        for kind, model in [(family["wire"], model) for family in families for model in family["ids"]]:
            url = emulator.openai_base_url if kind == "openai" else emulator.base_url
            settings = ProviderSettings(name=kind, kind=kind, base_url=url, api_key="sk-ant-x")
            adapter = build_adapter(settings, model)
            await adapter.generate(prompt, call_id=model, timeout_s=20)
            await adapter.aclose()
        asked = Counter(entry.call_id for entry in emulator.app.engine.ledger.entries)
    assert len(asked) >= 70
    assert {model: count for model, count in asked.items() if count != 1} == {}
