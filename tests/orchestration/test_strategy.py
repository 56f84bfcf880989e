"""Strategy files: the shipped ones load, and wrong ones say where they are wrong."""

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.orchestration import (
    Routing,
    Strategy,
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


ROUTED = """name: mixed
type: routed
draft: {provider: openai, model: gpt-4o-mini}
rules:
  - when: {tag.plan: enterprise}
    draft: {provider: anthropic, model: claude-3-opus-20240229}
  - share: 0.25
    draft: {provider: anthropic, model: claude-3-5-sonnet-20241022}
  - share: 0.25
    draft: {provider: openai, model: gpt-4o}
"""


def routed(routing: Routing, folder: Path, text: str = ROUTED) -> Strategy:
    path = folder / "mixed.yaml"
    path.write_text(text)
    return load_strategy(path, routing)


def test_the_first_rule_that_fits_says_who_drafts_and_repairs(routing: Routing, tmp_path: Path) -> None:
    strategy = routed(routing, tmp_path)
    assert len(strategy.routes) == 4
    own = strategy.of_request("r-1", "a brief", {"plan": "enterprise"})
    assert own.draft.model == own.repair.model == "claude-3-opus-20240229"
    assert (own.name, own.type) == ("mixed", StrategyType.HYBRID)
    asked = Counter(strategy.of_request(f"r-{n}", "", {"plan": "free"}).draft.model for n in range(4000))
    assert asked["claude-3-5-sonnet-20241022"] == pytest.approx(1000, abs=110)
    assert asked["gpt-4o"] == pytest.approx(1000, abs=110)
    assert asked["gpt-4o-mini"] == pytest.approx(2000, abs=130)
    assert strategy.of_request("r-7", "", {}) == strategy.of_request("r-7", "", {})


def test_a_stated_repair_is_kept_and_a_router_decides_by_the_text(routing: Routing, tmp_path: Path) -> None:
    (tmp_path / "router.json").write_text(
        '{"schema": "harness.router.v1", "weak": "openai/gpt-4o-mini", "strong": "openai/gpt-4o",'
        ' "trained_on": "", "words": {"hard": 1.0}, "classes": [-1, 1],'
        ' "weights": [{}, {"word.hard": 9.0}], "intercepts": [0.0, -4.0]}'
    )
    text = (
        "name: mixed\ntype: routed\ndraft: {provider: openai, model: gpt-4o-mini}\nrouter: router.json\n"
        "repair: {provider: openai, model: gpt-4}\n"
        "rules: [{score_at_least: 0.5, draft: {provider: openai, model: gpt-4o}}]\n"
    )
    strategy = routed(routing, tmp_path, text)
    assert strategy.of_request("r", "a hard one", {}).draft.model == "gpt-4o"
    assert strategy.of_request("r", "an easy one", {}).draft.model == "gpt-4o-mini"
    assert strategy.of_request("r", "an easy one", {}).repair.model == "gpt-4"


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("rules: []", "rules"),
        ("rules: [{draft: {provider: openai}}]", "needs `when`"),
        ("rules: [{share: 0.5, draft: {provider: openai}, when: {plan: free}}]", "when"),
        ("rules: [{score_at_least: 0.5, draft: {provider: openai}}]", "needs a `router`"),
        ("rules: [{share: 1.5, draft: {provider: openai}}]", "share"),
        ("router: none.json\nrules: [{share: 0.5, draft: {provider: openai}}]", r"none\.json"),
    ],
)
def test_a_wrong_rule_is_one_sentence(routing: Routing, tmp_path: Path, rules: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        routed(routing, tmp_path, f"name: mixed\ntype: routed\ndraft: {{provider: openai}}\n{rules}\n")
    assert "\n" not in str(caught.value)
