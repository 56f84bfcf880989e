"""Dataset x strategies x repeats through the pipeline: graded, priced, timed, crash-safe."""

from harness.evaluation.aftercare import Aftercare
from harness.evaluation.forecast import EvaluationForecast, StrategyForecast, forecast_evaluation
from harness.evaluation.grading import GuardedTask
from harness.evaluation.live import LiveEvaluation, Stop
from harness.evaluation.pacing.gatekeeper import AdaptiveGate
from harness.evaluation.plan import Key, Unit, units
from harness.evaluation.resume import InDoubt, Progress, read_progress
from harness.evaluation.runner import Bench, Runner, Session, mode_of
from harness.evaluation.suite import Suite, load_suite

__all__ = [
    "AdaptiveGate",
    "Aftercare",
    "Bench",
    "EvaluationForecast",
    "GuardedTask",
    "InDoubt",
    "Key",
    "LiveEvaluation",
    "Progress",
    "Runner",
    "Session",
    "Stop",
    "StrategyForecast",
    "Suite",
    "Unit",
    "forecast_evaluation",
    "load_suite",
    "mode_of",
    "read_progress",
    "units",
]
