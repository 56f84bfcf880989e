"""What a service is started with."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from harness.errors import ConfigError
from harness.orchestration.routing import Routing
from harness.orchestration.strategy import Strategy
from harness.service.shadow import ShadowSettings
from harness.telemetry import Sink

PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """One service's settings; `routing` and `strategy` are resolved already.

    Attributes:
        store_dir: where calls and events go; None keeps none.
        telemetry: answer `X-Assist-Telemetry: 1` with the event, and copy `X-Harness-Run-Id`.
        allow_fixtures: let canned answers serve in production (a critical alert is raised).
        allow_unpriced: run models without a price; their cost is recorded as unknown.
        prices_path: the user's price overrides.
        run_budget_usd: the most that this service's whole lifetime may commit; None for no limit.
        store_content: keep prompts, outputs, briefs and graphs in the store.
        sinks: where events go besides the store and `/metrics`.
        deadline_s: for one request, seconds; attempt_timeout_s: for one attempt.
        body_timeout_s: for reading one request's body, seconds.
        finish_abandoned: let a request go on when its client has left; else its calls are cancelled.
        circuit_open_s: how long a provider that keeps failing is not asked, seconds; None always asks.
        shadow: answers a share of the requests as well, off the critical path.
        access_log: one JSON line for each answer, to the logger `harness.access`.
    """

    routing: Routing
    strategy: Strategy
    store_dir: Path | None = None
    telemetry: bool = False
    allow_fixtures: bool = False
    allow_unpriced: bool = False
    prices_path: Path | None = None
    run_budget_usd: Decimal | None = None
    store_content: bool = False
    sinks: Sequence[Sink] = ()
    max_body_bytes: int = 1_048_576
    deadline_s: float = 55.0
    attempt_timeout_s: float = 30.0
    body_timeout_s: float = 30.0
    finish_abandoned: bool = False
    circuit_open_s: float | None = None
    shadow: ShadowSettings | None = None
    access_log: bool = False

    def suggest_strategy(self) -> Strategy:
        """Who answers the second task: its own override, else the strategy file's draft, else the routing."""
        own = "suggest_options" in self.routing.overridden
        by_routing = own or self.strategy.draft is self.routing.draft
        return self.strategy.with_draft(self.routing.suggest if by_routing else self.strategy.draft)

    def check_fixtures(self) -> tuple[str, ...]:
        """The roles that fixtures serve in production (allowed); empty elsewhere.

        Raises:
            ConfigError: fixtures would serve in production and nobody allowed it.
        """
        if self.routing.environment != PRODUCTION:
            return ()
        roles = self.strategy.fixtures_roles
        if self.suggest_strategy().fixtures_roles:
            roles = (*roles, "suggest")
        if self.shadow is not None and self.shadow.strategy.fixtures_roles:
            roles = (*roles, "shadow")
        if roles and not self.allow_fixtures:
            raise ConfigError(
                f"environment={PRODUCTION}",
                f"fixtures would serve the {' and '.join(roles)} role; configure a real provider, or pass "
                "--allow-fixtures",
            )
        return roles
