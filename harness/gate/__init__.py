"""PASS, FAIL or INCONCLUSIVE: the rules a run is released by."""

from harness.gate.evaluate import evaluate_gate
from harness.gate.model import DEFAULT_MAX_P95_MS, Bounds, Check, GateLimits, GateReport

__all__ = [
    "DEFAULT_MAX_P95_MS",
    "Bounds",
    "Check",
    "GateLimits",
    "GateReport",
    "evaluate_gate",
]
