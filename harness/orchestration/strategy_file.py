"""Strategy files: roles and policy in a few lines of YAML, read strictly.

Aliases are refused: a few hundred bytes of them can explode into gigabytes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.errors import ConfigError
from harness.orchestration.config_file import first_problem, read_bounded

MAX_BYTES = 100_000
StrategyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class RouteSpec(BaseModel):
    """A provider as configured, and a model of its (`auto` for the provider's default)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    provider: str = Field(min_length=1, max_length=64)
    model: str = Field(default="auto", min_length=1, max_length=200)


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: StrategyName
    description: str = Field(default="", max_length=500)
    draft: RouteSpec


class SingleSpec(_Spec):
    """One model drafts and repairs."""

    type: Literal["single"]


class HybridSpec(_Spec):
    """One model drafts, another repairs."""

    type: Literal["hybrid"]
    repair: RouteSpec


class FallbackSpec(_Spec):
    """The next provider answers when one fails after its retries."""

    type: Literal["fallback"]
    fallbacks: list[RouteSpec] = Field(min_length=1, max_length=5)
    repair: RouteSpec | None = None


class CascadeSpec(_Spec):
    """Cheap first; a better model drafts anew when the draft breaks rules or scores too low."""

    type: Literal["cascade"]
    escalate_to: RouteSpec
    escalate_below_score: float = Field(default=0.9, ge=0, le=1)
    repair: RouteSpec | None = None


class HedgeSpec(_Spec):
    """A second call after a delay; the first good answer wins and both are paid."""

    type: Literal["hedge"]
    hedge: RouteSpec
    hedge_after_ms: float = Field(gt=0, le=600_000)
    repair: RouteSpec | None = None


StrategySpec = Annotated[
    SingleSpec | HybridSpec | FallbackSpec | CascadeSpec | HedgeSpec, Field(discriminator="type")
]
_ADAPTER: TypeAdapter[SingleSpec | HybridSpec | FallbackSpec | CascadeSpec | HedgeSpec] = TypeAdapter(
    StrategySpec
)


class _NoAliasLoader(yaml.SafeLoader):
    """Safe YAML without aliases and without repeated keys."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML has no types here
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key.value}' stands twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def load_strategy_file(path: Path) -> SingleSpec | HybridSpec | FallbackSpec | CascadeSpec | HedgeSpec:
    """One strategy, checked.

    Raises:
        ConfigError: unreadable, not YAML, or not a strategy; names the file and, where known, the line.
    """
    content = _parsed(path, read_bounded(path, MAX_BYTES))
    if not isinstance(content, Mapping):
        raise ConfigError(str(path), "is not a mapping of a strategy's fields")
    try:
        return _ADAPTER.validate_python(dict(content))
    except ValidationError as error:
        raise ConfigError(str(path), first_problem(error)) from error


def _parsed(path: Path, text: bytes) -> Any:
    try:
        return yaml.load(text, Loader=_NoAliasLoader)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}", f"is not a readable strategy ({error.problem})") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError, TypeError) as error:
        raise ConfigError(str(path), f"is not YAML ({type(error).__name__})") from error
