"""A strategy, resolved: which routes play which role, and by which policy."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from harness.bundle import bundled
from harness.errors import ConfigError
from harness.inputs import is_file
from harness.orchestration.router import Router, load_router
from harness.orchestration.routing import Route, Routing
from harness.orchestration.strategy_file import (
    BestOfSpec,
    CascadeSpec,
    FallbackSpec,
    HedgeSpec,
    HybridSpec,
    RoutedSpec,
    RouteSpec,
    RuleSpec,
    SingleSpec,
    load_strategy_file,
)


class StrategyType(StrEnum):
    """The policies there are."""

    SINGLE = "single"
    HYBRID = "hybrid"
    FALLBACK = "fallback"
    CASCADE = "cascade"
    HEDGE = "hedge"
    BEST_OF = "best_of"
    ROUTED = "routed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """Which requests a route drafts: all conditions that are given must hold.

    Attributes:
        when: value of each named tag.
        share: of the requests, drawn by their ids; shares of several rules do not overlap.
        score_at_least: of the strategy's router.
    """

    draft: Route
    when: Mapping[str, str] = field(default_factory=dict)
    share: float | None = None
    score_at_least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """Routes by role, and the policy that uses them.

    Attributes:
        name: as recorded in `requests.strategy`.
        fallbacks: asked in order when the draft fails after its retries.
        escalate_to: drafts anew when the first draft breaks rules or scores below `escalate_below_score`.
        escalate_below_confidence: or is less sure of itself than this; None does not ask.
        hedge: asked as well when the draft has not answered after `hedge_after_ms`.
        others: draft at the same time; the best by `pick_by` (`score`, `confidence`) goes on.
        rules: who drafts which request instead, the first that fits; `router` scores requests for them.
        repairs_itself: the route that a rule chose repairs too.
    """

    name: str
    type: StrategyType
    draft: Route
    repair: Route
    description: str = ""
    fallbacks: tuple[Route, ...] = ()
    escalate_to: Route | None = None
    escalate_below_score: float = 0.9
    escalate_below_confidence: float | None = None
    hedge: Route | None = None
    hedge_after_ms: float = 0.0
    others: tuple[Route, ...] = ()
    pick_by: str = "score"
    rules: tuple[RouteRule, ...] = ()
    router: Router | None = None
    repairs_itself: bool = False

    @property
    def drafting(self) -> tuple[Route, ...]:
        """Every route that may draft, in the order in which it may be asked."""
        ruled = (rule.draft for rule in self.rules)
        several = (self.draft, *self.fallbacks, *self.others, *ruled, self.escalate_to, self.hedge)
        return tuple(route for route in several if route is not None)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route a request may take, draft first, without repetition."""
        found: dict[tuple[str, str], Route] = {}
        for route in (*self.drafting, self.repair):
            found.setdefault((route.provider, route.model), route)
        return tuple(found.values())

    def of_request(self, drawn_by: str, text: str, tags: Mapping[str, str]) -> "Strategy":
        """Itself; a routed one as the single or hybrid strategy that it is for one request.

        Args:
            drawn_by: draws where a rule has a share; the same text draws the same.
            text: what the model is asked, for the router.
            tags: of the request.
        """
        if self.type is not StrategyType.ROUTED:
            return self
        draft = self._ruled(drawn_by, text, tags)
        repair = draft if self.repairs_itself else self.repair
        return replace(self, type=StrategyType.HYBRID, draft=draft, repair=repair, rules=(), router=None)

    def _ruled(self, drawn_by: str, text: str, tags: Mapping[str, str]) -> Route:
        drawn, shared = fraction_of(f"{self.name}:{drawn_by}"), 0.0
        score = None if self.router is None else self.router.score(text, tags)
        for rule in self.rules:
            fits = all(tags.get(name) == value for name, value in rule.when.items())
            if rule.share is not None:
                fits &= shared <= drawn < shared + rule.share
                shared += rule.share
            if rule.score_at_least is not None:
                fits &= score is not None and score >= rule.score_at_least
            if fits:
                return rule.draft
        return self.draft

    @property
    def fixtures_roles(self) -> tuple[str, ...]:
        """The roles that canned answers could serve: every check looks at draft and repair alike."""
        roles = [
            ("draft", self.drafting),
            ("repair", (self.repair,)),
        ]
        return tuple(role for role, routes in roles if any(route.is_fixtures for route in routes))

    def with_draft(self, route: Route) -> "Strategy":
        """The same name with one route for everything, as a task with its own override needs."""
        return replace(
            self,
            type=StrategyType.SINGLE,
            draft=route,
            repair=route,
            fallbacks=(),
            escalate_to=None,
            hedge=None,
            others=(),
            rules=(),
            router=None,
        )


def strategy_from_routing(routing: Routing) -> Strategy:
    """What the configuration alone says: `single`, or `hybrid` where draft and repair differ."""
    same = (routing.draft.provider, routing.draft.model) == (routing.repair.provider, routing.repair.model)
    kind = StrategyType.SINGLE if same else StrategyType.HYBRID
    return Strategy(name=kind.value, type=kind, draft=routing.draft, repair=routing.repair)


def resolve_strategy(routing: Routing, name: str | None = None) -> Strategy:
    """The strategy to run.

    Args:
        routing: resolves the file's providers; its `strategy` (`LLM_STRATEGY`) is the default name.
        name: a shipped strategy's name, or the path of a strategy file.

    Raises:
        ConfigError: no such strategy, or a wrong file.
    """
    wanted, origin = (name, "--strategy") if name else (routing.strategy, "LLM_STRATEGY")
    if wanted is None:
        return strategy_from_routing(routing)
    return load_strategy(find_strategy_file(wanted, origin=origin), routing)


def strategy_files() -> list[Path]:
    """The shipped strategy files, by name."""
    return sorted(bundled("scenarios", "strategies").glob("*.yaml"))


def find_strategy_file(wanted: str, *, origin: str = "--strategy") -> Path:
    """The file of a shipped strategy's name, or the path itself.

    Raises:
        ConfigError: neither; names what is there.
    """
    path = Path(wanted)
    if path.suffix in (".yaml", ".yml") or "/" in wanted:
        if not is_file(path):
            raise ConfigError(origin, f"there is no strategy file '{wanted}'")
        return path
    files = {file.stem: file for file in strategy_files()}
    if wanted not in files:
        raise ConfigError(origin, f"unknown strategy '{wanted}' (known: {', '.join(files)})")
    return files[wanted]


def load_strategy(path: Path, routing: Routing) -> Strategy:
    """A strategy file with its providers resolved.

    Raises:
        ConfigError: a wrong file, or an unknown provider in it.
    """
    spec = load_strategy_file(path)

    def route(choice: RouteSpec | None, default: RouteSpec = spec.draft) -> Route:
        chosen = choice or default
        return routing.route_to(chosen.provider, chosen.model, origin=str(path))

    def routes(choices: Sequence[RouteSpec]) -> tuple[Route, ...]:
        return tuple(route(choice) for choice in choices)

    kind = StrategyType(spec.type)
    base = Strategy(
        name=spec.name, type=kind, description=spec.description, draft=route(spec.draft), repair=route(None)
    )
    match spec:
        case SingleSpec():
            pass
        case HybridSpec() | FallbackSpec() | HedgeSpec() | BestOfSpec():
            base = replace(base, repair=route(spec.repair))
        case CascadeSpec():
            base = replace(
                base,
                repair=route(spec.repair, spec.escalate_to),
                escalate_to=route(spec.escalate_to),
                escalate_below_score=spec.escalate_below_score,
                escalate_below_confidence=spec.escalate_below_confidence,
            )
        case RoutedSpec():
            base = replace(
                base,
                repair=route(spec.repair),
                repairs_itself=spec.repair is None,
                rules=tuple(_rule(rule, route(rule.draft)) for rule in spec.rules),
                router=None if spec.router is None else load_router(path.parent / spec.router),
            )
        case _:
            assert_never(spec)
    if isinstance(spec, FallbackSpec):
        base = replace(base, fallbacks=routes(spec.fallbacks))
    elif isinstance(spec, HedgeSpec):
        base = replace(base, hedge=route(spec.hedge), hedge_after_ms=spec.hedge_after_ms)
    elif isinstance(spec, BestOfSpec):
        base = replace(base, others=routes(spec.others), pick_by=spec.pick_by)
    return base


def _rule(spec: RuleSpec, draft: Route) -> RouteRule:
    when = {name.removeprefix("tag."): value for name, value in spec.when.items()}
    return RouteRule(draft=draft, when=when, share=spec.share, score_at_least=spec.score_at_least)


def fraction_of(text: str) -> float:
    """A number in 0..1 drawn from the text alone."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
