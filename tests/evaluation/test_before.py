"""What is settled before an evaluation begins."""

from pathlib import Path

from harness.evaluation import load_suite
from harness.evaluation.before import resolved_strategies
from harness.evaluation.settings import EvalPlan
from harness.orchestration import resolve_routing
from harness.processes.embedded import EmbeddedTarget


def hedge_after_ms(*, speed, live=False):
    plan = EvalPlan(
        store_dir=Path("none"),
        suite_reference="smoke",
        suite=load_suite("smoke"),
        strategies=("hedge",),
        repeats=1,
        live=live,
        embedded=EmbeddedTarget(speed=speed),
    )
    (strategy,) = resolved_strategies(plan, resolve_routing({}))
    return strategy.hedge_after_ms


def test_a_hedges_delay_is_divided_as_the_emulated_latencies_are():
    written = hedge_after_ms(speed=1)
    assert written > 0
    assert hedge_after_ms(speed=20) == written / 20
    assert hedge_after_ms(speed=20, live=True) == written
