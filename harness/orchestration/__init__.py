"""Roles to calls to one request: routing, strategy, retry, pipeline, ledger."""

from harness.orchestration.adapters import AdapterPool
from harness.orchestration.attempt import CallScope, Source
from harness.orchestration.caller import Caller, Gatekeeper
from harness.orchestration.ledger import Ledger
from harness.orchestration.outcome import PipelineResult
from harness.orchestration.pipeline import Pipeline
from harness.orchestration.progress import StageListener
from harness.orchestration.retry import RetryPolicy
from harness.orchestration.routing import Route, Routing, resolve_routing
from harness.orchestration.strategy import (
    Strategy,
    StrategyType,
    load_strategy,
    resolve_strategy,
    strategy_files,
)
from harness.orchestration.variables import Setting

__all__ = [
    "AdapterPool",
    "CallScope",
    "Caller",
    "Gatekeeper",
    "Ledger",
    "Pipeline",
    "PipelineResult",
    "RetryPolicy",
    "Route",
    "Routing",
    "Setting",
    "Source",
    "StageListener",
    "Strategy",
    "StrategyType",
    "load_strategy",
    "resolve_routing",
    "resolve_strategy",
    "strategy_files",
]
