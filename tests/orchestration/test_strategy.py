"""Strategy files: the shipped ones load, and wrong ones say where they are wrong."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.orchestration import (
    Routing,
    StrategyType,
    load_strategy,
    resolve_routing,
    resolve_strategy,
    strategy_files,
)
from harness.orchestration.strategy_file import load_strategy_file


@pytest.fixture
def routing() -> Routing:
    return resolve_routing({"ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o"})


def test_every_shipped_file_loads_under_its_own_name(routing: Routing) -> None:
    found = {path.stem: load_strategy(path, routing) for path in strategy_files()}
    assert {"all-anthropic", "all-openai", "hybrid", "fallback", "cascade", "hedge"} <= set(found)
    assert all(stem == strategy.name for stem, strategy in found.items())
    assert {strategy.type for strategy in found.values()} == set(StrategyType)


def test_the_demo_s_route_is_the_one_of_the_worked_examples(routing: Routing) -> None:
    hybrid = resolve_strategy(routing, "hybrid")
    assert (hybrid.draft.provider, hybrid.draft.model) == ("anthropic", "claude-3-5-sonnet-20241022")
    assert (hybrid.repair.provider, hybrid.repair.model) == ("openai", "gpt-4o-mini")
    assert hybrid.draft.settings.api_key == "a"


def test_without_a_name_the_routing_decides() -> None:
    same = resolve_strategy(resolve_routing({"LLM_PROVIDER": "fixtures"}))
    assert (same.name, same.type) == ("single", StrategyType.SINGLE)
    assert same.fixtures_roles == ("draft", "repair")


def test_the_variable_names_a_strategy_too() -> None:
    assert resolve_strategy(resolve_routing({"LLM_STRATEGY": "all-openai"})).name == "all-openai"
    with pytest.raises(ConfigError, match=r"^LLM_STRATEGY: unknown strategy 'none' \(known: all-anthropic"):
        resolve_strategy(resolve_routing({"LLM_STRATEGY": "none"}))


def test_fixtures_in_the_repair_alone_are_seen(routing: Routing, tmp_path: Path) -> None:
    path = tmp_path / "mix.yaml"
    path.write_text(
        "name: mix\ntype: hybrid\ndraft: {provider: openai, model: gpt-4o}\nrepair: {provider: fixtures}\n"
    )
    assert load_strategy(path, routing).fixtures_roles == ("repair",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: x\ntype: single\ndraft: &a {provider: openai}\nrepair: *a\n", r"x\.yaml:3: .*aliases"),
        ("name: x\nname: y\n", r"x\.yaml:2: .*stands twice"),
        ("name: x\ntype: single\n", "draft"),
        ("name: x\ntype: magic\ndraft: {provider: openai}\n", "magic|type"),
        ("name: x\ntype: single\ndraft: {provider: openai, temperature: 1}\n", "temperature"),
        ("name: x\ntype: single\ndraft: {provider: nobody}\n", "unknown provider 'nobody'"),
        ("name: a b\ntype: single\ndraft: {provider: openai}\n", "name"),
        (
            "name: x\ntype: hedge\ndraft: {provider: openai}\nhedge: {provider: openai}\nhedge_after_ms: .nan\n",
            "hedge_after_ms",
        ),
        ("[1, 2", r"x\.yaml:\d+: "),
        ("? {a: 1}\n: 2\n", "x.yaml"),
        ("just text", "not a mapping"),
        ("", "not a mapping"),
        ("!!python/object/apply:os.system ['true']", "x.yaml"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_its_place(
    routing: Routing, tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_strategy(path, routing)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_can_crash_the_loader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("strategy") / "x.yaml"
    path.write_bytes(content)
    with suppress(ConfigError):
        load_strategy_file(path)
