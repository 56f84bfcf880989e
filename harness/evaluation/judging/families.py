"""Which family a model belongs to: a judge favours its own, so it never judges it.

A model's name says it, whoever serves it; a distilled or tuned model that names two families belongs to both.
Source of the bias: Zheng et al., Judging LLM-as-a-Judge (2023), arXiv:2306.05685, section 3.3.
"""

import re
from collections.abc import Mapping, Sequence

from harness.errors import ConfigError
from harness.orchestration import Route, Strategy

_NAMES: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("claude",),
    "openai": ("gpt", "chatgpt", "o1", "o3", "o4", "codex", "davinci", "babbage"),
    "google": ("gemini", "gemma", "palm"),
    "meta": ("llama", "codellama"),
    "mistral": (
        "mistral",
        "mixtral",
        "codestral",
        "ministral",
        "magistral",
        "devstral",
        "pixtral",
        "voxtral",
    ),
    "alibaba": ("qwen", "qwq", "qvq"),
    "deepseek": ("deepseek",),
    "xai": ("grok",),
    "cohere": ("command", "c4ai", "aya"),
    "microsoft": ("phi",),
    "amazon": ("nova", "titan"),
    "moonshot": ("kimi", "moonshot"),
    "zhipu": ("glm", "chatglm"),
    "nvidia": ("nemotron",),
    "ibm": ("granite",),
    "ai21": ("jamba", "jurassic"),
    "minimax": ("minimax",),
    "01ai": ("yi",),
    "fixtures": ("fixture",),
}
_WORD = re.compile(r"[a-z]+[0-9]?|[0-9]+")
_OWN_ENDPOINTS = ("anthropic", "openai", "fixtures")


def families_of(route: Route, declared: Mapping[str, str]) -> frozenset[str]:
    """The families of a route's model; empty when nothing tells.

    Args:
        route: its model's name decides; else a provider's own endpoint; else what is declared.
        declared: family by `provider/model`, for names that tell nothing.
    """
    named = _named(route.model)
    if named:
        return named
    kind = route.settings.kind
    if kind in _OWN_ENDPOINTS and route.settings.base_url is None:
        return frozenset({kind})
    family = declared.get(f"{route.provider}/{route.model}")
    return frozenset() if family is None else frozenset({family})


def _named(model: str) -> frozenset[str]:
    words = {form for word in _WORD.findall(model.lower()) for form in (word, word.rstrip("0123456789"))}
    return frozenset(family for family, names in _NAMES.items() if words & set(names))


def check_declared(declared: Mapping[str, str], source: str) -> None:
    """Refuse a declaration that contradicts a model's own name.

    Raises:
        ConfigError: names the model.
    """
    for reference, family in declared.items():
        named = _named(reference.partition("/")[2])
        if named and family not in named:
            raise ConfigError(
                source, f"'families': {reference} is known to be of the family {_listed(named)}, not {family}"
            )


def check_impartial(
    judge: Route, strategies: Sequence[Strategy], declared: Mapping[str, str], source: str
) -> None:
    """Refuse a judge of a candidate's family, one of no known family, and one that is no model.

    Raises:
        ConfigError: says which judge and which candidate.
    """
    if judge.is_fixtures:
        raise ConfigError(source, "canned answers (fixtures) cannot judge")
    own = families_of(judge, declared)
    if not own:
        raise _unknown(judge, "judge", source)
    for strategy in strategies:
        for route in strategy.routes:
            theirs = families_of(route, declared)
            if not theirs:
                raise _unknown(route, f"strategy '{strategy.name}'", source)
            if own & theirs:
                raise ConfigError(
                    source,
                    f"judge {_reference(judge)} is of the family {_listed(own & theirs)}, as is "
                    f"{_reference(route)} of strategy '{strategy.name}': a judge favours its own",
                )


def _unknown(route: Route, who: str, source: str) -> ConfigError:
    reference = _reference(route)
    return ConfigError(
        source,
        f"the family of {reference} ({who}) is unknown: declare it in the suite, "
        f"`families: {{{reference}: FAMILY}}`",
    )


def _reference(route: Route) -> str:
    return f"{route.provider}/{route.model}"


def _listed(families: frozenset[str]) -> str:
    return " and ".join(sorted(families))
