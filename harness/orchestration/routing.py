"""Which provider and model answers which role, and where each value came from.

Precedence, for provider and model alike: per-task override > environment > config defaults > built-in.
A model goes with its provider: a level that names only a model counts where the provider resolved is the
one that level would have used; otherwise the provider's own default (`auto`) is taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from harness.addresses import shown
from harness.errors import ConfigError
from harness.orchestration.config_file import ProviderEntry, ProvidersFile, RouteChoice, load_providers_file
from harness.orchestration.variables import (
    DEFAULT_ENVIRONMENT,
    Setting,
    cost_max,
    environment_setting,
    plain_settings,
    variable,
)
from harness.providers import ProviderSettings, default_model, require_kind

DEFAULT_CONFIG_PATH = Path("config/providers.json")
BUILT_IN_PROVIDER = "anthropic"
AUTO = "auto"
BUILT_IN_PROVIDERS: Mapping[str, ProviderEntry] = {
    "anthropic": ProviderEntry(kind="anthropic", api_key_env="ANTHROPIC_API_KEY"),
    "openai": ProviderEntry(kind="openai", api_key_env="OPENAI_API_KEY"),
    "gemini": ProviderEntry(kind="gemini", api_key_env="GEMINI_API_KEY"),
    "bedrock": ProviderEntry(kind="bedrock", api_key_env="AWS_BEARER_TOKEN_BEDROCK"),
    "fixtures": ProviderEntry(kind="fixtures", local=True),
}
_SIGNING_KINDS = frozenset({"bedrock"})
"""Where there is no key, they sign with credentials that the machine has."""
_WITH_APIS = ("openai", "openai_compatible")
TASK_KEYS = ("draft_graph", "repair_graph", "suggest_options")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where one role's calls go; `model` is resolved, never `auto`.

    `missing_key` names the variable that should hold the key and does not.
    """

    provider: str
    model: str
    settings: ProviderSettings
    provider_origin: str = "strategy"
    model_origin: str = "strategy"
    missing_key: str | None = None

    @property
    def is_fixtures(self) -> bool:
        """True when canned answers, not a model, would serve this route."""
        return self.settings.kind == "fixtures"

    def require_key(self) -> None:
        """Check that the provider's key is there.

        Raises:
            ConfigError: it is not; names the variable.
        """
        if self.missing_key is not None:
            raise ConfigError(self.missing_key, f"is not set, but provider '{self.provider}' needs it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Everything resolved. `settings` lists each value with its origin, secrets masked."""

    draft: Route
    repair: Route
    suggest: Route
    environment: str
    cost_max_usd: Decimal
    strategy: str | None
    settings: tuple[Setting, ...]
    overridden: frozenset[str] = frozenset()
    providers: Mapping[str, ProviderEntry] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def route_to(self, provider: str, model: str = AUTO, *, origin: str = "strategy") -> Route:
        """A route outside the tasks' own, as strategies name them.

        Raises:
            ConfigError: no such provider; names `origin`.
        """
        choice = (provider, origin, model, origin)
        return _route(choice, self.providers, self.env)


def resolve_routing(env: Mapping[str, str], *, config_path: Path | None = None) -> Routing:
    """Routing from the environment and the providers file.

    Args:
        env: the environment variables.
        config_path: the providers file; else `PROVIDERS_CONFIG_PATH`, else `config/providers.json` if there.

    Raises:
        ConfigError: a file or variable is wrong. A missing key is raised by `Route.require_key`, when used.
    """
    file, path, path_origin = _providers_file(env, config_path)
    entries = {**BUILT_IN_PROVIDERS, **file.providers}
    _check_kinds(file.providers, path or str(DEFAULT_CONFIG_PATH))
    settings = [Setting(name="PROVIDERS_CONFIG_PATH", value=path, origin=path_origin)]
    routes: dict[str, Route] = {}
    for key in TASK_KEYS:
        routes[key] = _route(_choose(key, env, file, path or str(DEFAULT_CONFIG_PATH)), entries, env)
        settings.append(
            Setting(name=f"{key}.provider", value=routes[key].provider, origin=routes[key].provider_origin)
        )
        settings.append(
            Setting(name=f"{key}.model", value=routes[key].model, origin=routes[key].model_origin)
        )
    environment, cost_limit, strategy = environment_setting(env), cost_max(env), variable(env, "LLM_STRATEGY")
    settings.append(environment)
    settings.append(Setting(name="COST_MAX_USD", value=str(cost_limit[0]), origin=cost_limit[1]))
    settings.append(
        Setting(name="LLM_STRATEGY", value=strategy, origin="LLM_STRATEGY" if strategy else "built-in")
    )
    settings.extend(_provider_settings(entries, env))
    settings.extend(plain_settings(env))
    return Routing(
        draft=routes["draft_graph"],
        repair=routes["repair_graph"],
        suggest=routes["suggest_options"],
        environment=environment.value or DEFAULT_ENVIRONMENT,
        cost_max_usd=cost_limit[0],
        strategy=strategy,
        settings=tuple(settings),
        overridden=frozenset(str(key) for key in file.overrides),
        providers=entries,
        env=dict(env),
    )


def _providers_file(
    env: Mapping[str, str], config_path: Path | None
) -> tuple[ProvidersFile, str | None, str]:
    if config_path is not None:
        return load_providers_file(config_path), str(config_path), "--config"
    named = variable(env, "PROVIDERS_CONFIG_PATH")
    if named is not None:
        try:
            return load_providers_file(Path(named)), named, "PROVIDERS_CONFIG_PATH"
        except ConfigError as error:
            raise ConfigError(f"PROVIDERS_CONFIG_PATH={error.source}", error.problem) from error
    if DEFAULT_CONFIG_PATH.exists():
        return load_providers_file(DEFAULT_CONFIG_PATH), str(DEFAULT_CONFIG_PATH), "built-in"
    return ProvidersFile(), None, "no file"


def _check_kinds(providers: Mapping[str, ProviderEntry], path: str) -> None:
    for name, entry in providers.items():
        require_kind(entry.kind, f"{path}: 'providers.{name}.kind'")
        if entry.api is not None and entry.kind not in _WITH_APIS:
            raise ConfigError(path, f"'providers.{name}.api': kind '{entry.kind}' has one route only")
        if name == "fixtures" and entry.kind != "fixtures":
            raise ConfigError(path, "'providers.fixtures.kind': this name means canned answers at no cost")


def _choose(key: str, env: Mapping[str, str], file: ProvidersFile, path: str) -> tuple[str, str, str, str]:
    """(provider, its origin, model, its origin) for one task key."""
    override = next((choice for task, choice in file.overrides.items() if task == key), RouteChoice())
    levels = (
        (override.provider, override.model, f"{path} overrides.{key}", f"{path} overrides.{key}"),
        (variable(env, "LLM_PROVIDER"), variable(env, "LLM_MODEL"), "LLM_PROVIDER", "LLM_MODEL"),
        (file.defaults.provider, file.defaults.model, f"{path} defaults", f"{path} defaults"),
        (BUILT_IN_PROVIDER, AUTO, "built-in", "built-in"),
    )
    provider, provider_origin = next((level[0], level[2]) for level in levels if level[0] is not None)
    for index, level in enumerate(levels):
        own_provider = next(lower[0] for lower in levels[index:] if lower[0] is not None)
        if level[1] is not None and own_provider == provider:
            return provider or "", provider_origin, level[1], level[3]
    return provider or "", provider_origin, AUTO, "built-in"


def _route(
    choice: tuple[str, str, str, str], entries: Mapping[str, ProviderEntry], env: Mapping[str, str]
) -> Route:
    provider, provider_origin, model, model_origin = choice
    entry = entries.get(provider)
    if entry is None:
        known = ", ".join(sorted(entries))
        raise ConfigError(provider_origin, f"unknown provider '{provider}' (known: {known})")
    if model == AUTO:
        model, model_origin = _default_model(provider, entry, model_origin), f"{model_origin} (auto)"
    key = variable(env, entry.api_key_env) if entry.api_key_env else None
    if key is not None and (not key.isascii() or any(c.isspace() for c in key)):
        raise ConfigError(str(entry.api_key_env), "holds characters that no key has")
    base_url, url_origin = _base_url(provider, entry, env)
    if base_url is None and entry.kind == "openai_compatible":
        raise ConfigError(url_origin, f"is missing: kind '{entry.kind}' has no endpoint of its own")
    settings = ProviderSettings(
        name=provider,
        kind=entry.kind,
        base_url=base_url,
        api_key=key,
        local=entry.local or entry.kind == "fixtures",
        stream=entry.stream,
        cost=entry.cost,
        api=entry.api_of(model),
    )
    return Route(
        provider=provider,
        model=model,
        settings=settings,
        provider_origin=provider_origin,
        model_origin=model_origin,
        missing_key=entry.api_key_env if key is None and entry.kind not in _SIGNING_KINDS else None,
    )


def _default_model(provider: str, entry: ProviderEntry, origin: str) -> str:
    """What `auto` means; someone else's endpoint that speaks a known format has models of its own."""
    if provider not in BUILT_IN_PROVIDERS and entry.kind in BUILT_IN_PROVIDERS:
        raise ConfigError(origin, f"provider '{provider}' has no default model: name one")
    return default_model(entry.kind)


def _base_url(provider: str, entry: ProviderEntry, env: Mapping[str, str]) -> tuple[str | None, str]:
    name = f"{provider.upper().replace('-', '_')}_BASE_URL"
    from_env = variable(env, name)
    url, origin = (from_env, name) if from_env else (entry.base_url, f"providers.{provider}.base_url")
    if url is None:
        return None, f"providers.{provider}.base_url"
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname is not None
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(origin, "is not an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(origin, "carries a user name or password; put the key into its variable")
    return url, origin


def _provider_settings(entries: Mapping[str, ProviderEntry], env: Mapping[str, str]) -> list[Setting]:
    settings = []
    for name, entry in entries.items():
        if entry.api_key_env is not None:
            key = variable(env, entry.api_key_env)
            masked = None if key is None else f"******** ({len(key)} characters)"
            settings.append(
                Setting(name=entry.api_key_env, value=masked, origin="environment" if key else "not set")
            )
        url, origin = _base_url(name, entry, env)
        if url is not None:
            settings.append(Setting(name=f"{name}.base_url", value=shown(url), origin=origin))
    return settings
