"""A plan's scenario, bound to its target and to this process's environment."""

from collections.abc import Mapping

from harness.load.bound import BoundScenario
from harness.load.cost import CostRule
from harness.load.exchange import Exchange
from harness.load.plan import LoadPlan, header_values
from harness.load.scenario.model import Scenario
from harness.load.scenario.shipped import scenario_of


def exchange_of(plan: LoadPlan, env: Mapping[str, str], scenario: Scenario | None = None) -> Exchange:
    """What asks a plan's requests.

    Args:
        plan: names the scenario and the target.
        env: where headers' variables are looked for.
        scenario: the plan's, where it is read already.

    Raises:
        UsageError: no such scenario, or a variable that is not set.
        ConfigError: a wrong file, or a price that is not known.
    """
    more = header_values(plan.header_env, dict(env))
    bound = BoundScenario(scenario or scenario_of(plan.scenario), plan, env, more)
    return Exchange(bound, CostRule(bound.scenario, plan, holds=bound.holds, env=env))
