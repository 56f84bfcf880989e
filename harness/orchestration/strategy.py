"""A strategy, resolved: which routes play which role, and by which policy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from harness.bundle import bundled
from harness.errors import ConfigError
from harness.inputs import is_file
from harness.orchestration.routing import Route, Routing
from harness.orchestration.strategy_file import (
    CascadeSpec,
    FallbackSpec,
    HedgeSpec,
    HybridSpec,
    RouteSpec,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """Routes by role, and the policy that uses them.

    Attributes:
        name: as recorded in `requests.strategy`.
        fallbacks: asked in order when the draft fails after its retries.
        escalate_to: drafts anew when the first draft breaks rules or scores below `escalate_below_score`.
        hedge: asked as well when the draft has not answered after `hedge_after_ms`.
    """

    name: str
    type: StrategyType
    draft: Route
    repair: Route
    description: str = ""
    fallbacks: tuple[Route, ...] = ()
    escalate_to: Route | None = None
    escalate_below_score: float = 0.9
    hedge: Route | None = None
    hedge_after_ms: float = 0.0

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route a request may take, draft first, without repetition."""
        candidates = [self.draft, *self.fallbacks, self.escalate_to, self.hedge, self.repair]
        found: dict[tuple[str, str], Route] = {}
        for route in candidates:
            if route is not None:
                found.setdefault((route.provider, route.model), route)
        return tuple(found.values())

    @property
    def fixtures_roles(self) -> tuple[str, ...]:
        """The roles that canned answers could serve: every check looks at draft and repair alike."""
        roles = [
            ("draft", (self.draft, *self.fallbacks, self.escalate_to, self.hedge)),
            ("repair", (self.repair,)),
        ]
        return tuple(
            role for role, routes in roles if any(route is not None and route.is_fixtures for route in routes)
        )

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
            return base
        case HybridSpec():
            return replace(base, repair=route(spec.repair))
        case FallbackSpec():
            return replace(base, repair=route(spec.repair), fallbacks=routes(spec.fallbacks))
        case CascadeSpec():
            return replace(
                base,
                repair=route(spec.repair, spec.escalate_to),
                escalate_to=route(spec.escalate_to),
                escalate_below_score=spec.escalate_below_score,
            )
        case HedgeSpec():
            return replace(
                base, repair=route(spec.repair), hedge=route(spec.hedge), hedge_after_ms=spec.hedge_after_ms
            )
        case _:
            assert_never(spec)
