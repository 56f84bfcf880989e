"""Single variables of the environment, each with its origin and its built-in value."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from harness.errors import ConfigError
from harness.records import ALIASES_VARIABLE, environment_name

DEFAULT_COST_MAX_USD = Decimal("1.0")
DEFAULT_ENVIRONMENT = "development"
PLAIN_SETTINGS: Mapping[str, str | None] = {
    "HARNESS_STORE": "results",
    "PERF_TARGET_URL": None,
    "PERF_DURATION_SEC": "300",
    "PERF_RPS": "1",
    "DD_AGENT_HOST": None,
    "DD_AGENT_PORT": "8125",
    "DD_SERVICE": "harness",
    "DD_ENV": None,
    ALIASES_VARIABLE: "on",
}
"""Variables that other parts read, with their built-in values, so that one command shows them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One resolved value and its origin. A secret's `value` is already masked."""

    name: str
    value: str | None
    origin: str


def variable(env: Mapping[str, str], name: str) -> str | None:
    """A variable's value; set but blank counts as not set."""
    return env.get(name, "").strip() or None


def environment_setting(env: Mapping[str, str]) -> Setting:
    """`HARNESS_ENV`, else `DD_ENV`, else development; by its one name, so that none misses `Production`."""
    for name in ("HARNESS_ENV", "DD_ENV"):
        value = environment_name(variable(env, name))
        if value is not None:
            return Setting(name="environment", value=value, origin=name)
    return Setting(name="environment", value=DEFAULT_ENVIRONMENT, origin="built-in")


def cost_max(env: Mapping[str, str]) -> tuple[Decimal, str]:
    """`COST_MAX_USD` and its origin.

    Raises:
        ConfigError: not a positive number of dollars.
    """
    text = variable(env, "COST_MAX_USD")
    if text is None:
        return DEFAULT_COST_MAX_USD, "built-in"
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ConfigError("COST_MAX_USD", f"'{text[:40]}' is not a number of dollars") from error
    if not value.is_finite() or value <= 0 or value > 1_000_000:
        raise ConfigError("COST_MAX_USD", f"'{text[:40]}' must be more than 0 and at most 1000000 dollars")
    return value, "COST_MAX_USD"


def plain_settings(env: Mapping[str, str]) -> list[Setting]:
    """The variables that other parts read, as set or built in."""
    settings = []
    for name, built_in in PLAIN_SETTINGS.items():
        value = variable(env, name)
        origin = "environment" if value is not None else "built-in"
        settings.append(Setting(name=name, value=built_in if value is None else value, origin=origin))
    return settings
