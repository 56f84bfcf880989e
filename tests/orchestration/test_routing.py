"""Precedence, origins, and one clear sentence for everything that can be wrong."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.orchestration import Routing, resolve_routing
from harness.orchestration.config_file import load_providers_file


@pytest.fixture
def config(tmp_path: Path) -> Any:
    def write(content: Any) -> Path:
        path = tmp_path / "providers.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def draft(routing: Routing) -> tuple[str, str]:
    return routing.draft.provider, routing.draft.model


def test_the_built_in_default_stands_where_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    routing = resolve_routing({})
    assert routing.draft.provider == "anthropic"
    assert routing.draft.provider_origin == "built-in"
    assert routing.draft.model != "auto"
    assert (routing.environment, routing.cost_max_usd, routing.strategy) == ("development", Decimal(1), None)


def test_each_level_beats_the_one_below(config: Any) -> None:
    defaults = {"defaults": {"provider": "openai", "model": "gpt-4o"}}
    assert draft(resolve_routing({}, config_path=config(defaults))) == ("openai", "gpt-4o")
    env = {"LLM_PROVIDER": "anthropic", "LLM_MODEL": "claude-3-haiku-20240307"}
    by_env = resolve_routing(env, config_path=config(defaults))
    assert draft(by_env) == ("anthropic", "claude-3-haiku-20240307")
    assert (by_env.draft.provider_origin, by_env.draft.model_origin) == ("LLM_PROVIDER", "LLM_MODEL")
    path = config({**defaults, "overrides": {"repair_graph": {"provider": "openai", "model": "gpt-4o-mini"}}})
    both = resolve_routing(env, config_path=path)
    assert draft(both) == ("anthropic", "claude-3-haiku-20240307")
    assert (both.repair.provider, both.repair.model) == ("openai", "gpt-4o-mini")
    assert both.repair.provider_origin == f"{path} overrides.repair_graph"


def test_a_model_goes_with_its_provider(config: Any) -> None:
    path = config({"defaults": {"provider": "openai", "model": "gpt-4o"}})
    routing = resolve_routing({"LLM_PROVIDER": "fixtures"}, config_path=path)
    assert draft(routing) == ("fixtures", "fixture-v1")
    assert draft(resolve_routing({"LLM_MODEL": "gpt-4"}, config_path=path)) == ("openai", "gpt-4")


def test_a_configured_provider_needs_no_code(config: Any) -> None:
    path = config(
        {
            "defaults": {"provider": "groq", "model": "llama-x"},
            "providers": {
                "groq": {"kind": "openai", "base_url": "https://groq.example/v1", "api_key_env": "GROQ_KEY"}
            },
        }
    )
    route = resolve_routing({"GROQ_KEY": "k1"}, config_path=path).draft
    assert (route.settings.name, route.settings.kind, route.settings.api_key) == ("groq", "openai", "k1")
    missing = resolve_routing({}, config_path=path).draft
    with pytest.raises(ConfigError, match=r"^GROQ_KEY: is not set, but provider 'groq' needs it$"):
        missing.require_key()


def test_base_urls_come_from_their_variables() -> None:
    env = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "ANTHROPIC_API_KEY": "k"}
    assert resolve_routing(env).draft.settings.base_url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not JSON"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ("[]", "is not a mapping"),
        ({"defaults": {"provider": 7}}, "'defaults.provider'"),
        ({"default": {}}, "'default'"),
        ({"overrides": {"draft": {}}}, "'overrides.draft"),
        ({"providers": {"x": {"kind": "openai", "api_key": "secret-canary"}}}, "'providers.x.api_key'"),
        ({"providers": {"x": {"kind": "telepathy"}}}, "no provider kind 'telepathy'; there are anthropic"),
        ({"providers": {"a b": {"kind": "openai"}}}, "providers"),
        ({"providers": {"fixtures": {"kind": "openai", "base_url": "http://h/v1"}}}, "canned answers"),
        ({"defaults": {"provider": "nobody"}}, "unknown provider 'nobody'"),
        (
            {
                "providers": {"x": {"kind": "openai", "base_url": "ftp://x"}},
                "defaults": {"provider": "x", "model": "m"},
            },
            "URL",
        ),
        (
            {
                "providers": {"x": {"kind": "openai", "base_url": "http://h/v1"}},
                "defaults": {"provider": "x"},
            },
            "no default model",
        ),
        (
            {"providers": {"x": {"kind": "gemini", "api": "responses"}}},
            "'providers.x.api': kind 'gemini' has one route only",
        ),
        ({"providers": {"x": {"kind": "openai", "api": "completions"}}}, "api"),
        ({"providers": {"x": {"kind": "openai", "api": {"o3*": "both"}}}}, "api"),
        (
            {
                "providers": {"x": {"kind": "openai_compatible"}},
                "defaults": {"provider": "x", "model": "m"},
            },
            "providers.x.base_url: is missing",
        ),
        (
            {
                "providers": {"x": {"kind": "openai_compatible", "base_url": "http://h/v1"}},
                "defaults": {"provider": "x"},
            },
            "no default model",
        ),
        ("[" * 100_000, "JSON|nested"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_it(config: Any, content: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        resolve_routing({}, config_path=config(content))
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("env", "source"),
    [
        ({"LLM_PROVIDER": "nobody"}, "LLM_PROVIDER"),
        ({"COST_MAX_USD": "much"}, "COST_MAX_USD"),
        ({"COST_MAX_USD": "nan"}, "COST_MAX_USD"),
        ({"COST_MAX_USD": "-1"}, "COST_MAX_USD"),
        ({"COST_MAX_USD": "0"}, "COST_MAX_USD"),
        ({"PROVIDERS_CONFIG_PATH": "/nowhere.json"}, "PROVIDERS_CONFIG_PATH=/nowhere.json"),
        ({"ANTHROPIC_API_KEY": "two words"}, "ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_BASE_URL": "localhost:8000"}, "ANTHROPIC_BASE_URL"),
        ({"ANTHROPIC_BASE_URL": "http://user:pw@h/"}, "ANTHROPIC_BASE_URL"),
        ({"ANTHROPIC_BASE_URL": "http://h:99999/"}, "ANTHROPIC_BASE_URL"),
    ],
)
def test_a_wrong_variable_is_named(env: dict[str, str], source: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve_routing(env)
    assert caught.value.source == source
    assert "pw" not in str(caught.value)


def test_keys_are_masked_wherever_settings_are_shown() -> None:
    routing = resolve_routing({"ANTHROPIC_API_KEY": "sk-ant-canary-0001"})
    assert "canary" not in repr(routing)
    assert "canary" not in repr(routing.draft)
    shown = {setting.name: setting.value for setting in routing.settings}
    assert shown["ANTHROPIC_API_KEY"] == "******** (18 characters)"
    assert shown["OPENAI_API_KEY"] is None


def test_environment_prefers_our_own_variable() -> None:
    assert resolve_routing({"DD_ENV": "staging"}).environment == "staging"
    assert resolve_routing({"DD_ENV": " Production "}).environment == "production"
    assert resolve_routing({"DD_ENV": "staging", "HARNESS_ENV": "production"}).environment == "production"


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_can_crash_the_loader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("config") / "providers.json"
    path.write_bytes(content)
    with suppress(ConfigError):
        load_providers_file(path)


def test_openais_route_is_chosen_by_provider_or_by_model(config: Any) -> None:
    path = config(
        {
            "providers": {
                "a": {"kind": "openai", "api": "responses"},
                "b": {
                    "kind": "openai_compatible",
                    "base_url": "http://h/v1",
                    "api": {"gpt-*": "responses", "*": "chat"},
                },
            }
        }
    )
    routing = resolve_routing({}, config_path=path)
    asked = [("a", "gpt-4o"), ("b", "gpt-5"), ("b", "llama"), ("openai", "gpt-4o")]
    assert [routing.route_to(provider, model).settings.api for provider, model in asked] == [
        "responses",
        "responses",
        "chat",
        None,
    ]


def test_bedrock_takes_a_key_or_the_machines_credentials() -> None:
    assert resolve_routing({"LLM_PROVIDER": "gemini"}).draft.missing_key == "GEMINI_API_KEY"
    unkeyed = resolve_routing({"LLM_PROVIDER": "bedrock"}).draft
    assert (unkeyed.missing_key, unkeyed.settings.api_key) == (None, None)
    assert unkeyed.model.startswith("global.anthropic.")
    keyed = resolve_routing({"LLM_PROVIDER": "bedrock", "AWS_BEARER_TOKEN_BEDROCK": "ABSK-0"})
    assert keyed.draft.settings.api_key == "ABSK-0"
