"""Strategy files: roles and policy in a few lines of YAML, read strictly."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from harness.errors import ConfigError
from harness.inputs import LARGEST_SETTINGS_BYTES, first_problem, load_yaml

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
    escalate_below_confidence: float | None = Field(default=None, ge=0, le=1)
    repair: RouteSpec | None = None


class HedgeSpec(_Spec):
    """A second call after a delay; the first good answer wins and both are paid."""

    type: Literal["hedge"]
    hedge: RouteSpec
    hedge_after_ms: float = Field(gt=0, le=600_000)
    repair: RouteSpec | None = None


class BestOfSpec(_Spec):
    """Several models draft at once, all are paid, and the best draft goes on."""

    type: Literal["best_of"]
    others: list[RouteSpec] = Field(min_length=1, max_length=5)
    pick_by: Literal["score", "confidence"] = "score"
    repair: RouteSpec | None = None


TagName = Annotated[str, Field(pattern=r"^tag\.[A-Za-z0-9_.-]{1,64}$")]


class RuleSpec(BaseModel):
    """Which requests another model drafts: by their tags, a share of them by chance, or a router's score."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    draft: RouteSpec
    when: dict[TagName, str] = Field(default_factory=dict, max_length=20)
    share: float | None = Field(default=None, gt=0, le=1)
    score_at_least: float | None = Field(default=None, ge=-1, le=1)

    @model_validator(mode="after")
    def _decides(self) -> "RuleSpec":
        if not self.when and self.share is None and self.score_at_least is None:
            raise ValueError("a rule needs `when`, `share` or `score_at_least`")
        return self


class RoutedSpec(_Spec):
    """The first rule that fits a request says who drafts; without one the strategy's own draft does."""

    type: Literal["routed"]
    rules: list[RuleSpec] = Field(min_length=1, max_length=20)
    router: str | None = Field(default=None, min_length=1, max_length=1000)
    repair: RouteSpec | None = None

    @model_validator(mode="after")
    def _has_its_router(self) -> "RoutedSpec":
        if self.router is None and any(rule.score_at_least is not None for rule in self.rules):
            raise ValueError("`score_at_least` needs a `router` file")
        return self


AnySpec = SingleSpec | HybridSpec | FallbackSpec | CascadeSpec | HedgeSpec | BestOfSpec | RoutedSpec
_ADAPTER: TypeAdapter[AnySpec] = TypeAdapter(Annotated[AnySpec, Field(discriminator="type")])


def load_strategy_file(path: Path) -> AnySpec:
    """One strategy, checked.

    Raises:
        ConfigError: unreadable, not YAML, or not a strategy; names the file and, where known, the line.
    """
    content = load_yaml(path, LARGEST_SETTINGS_BYTES, what="a strategy")
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as error:
        raise ConfigError(str(path), first_problem(error)) from error
