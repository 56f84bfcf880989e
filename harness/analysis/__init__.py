"""Statistics on recorded rows: pure functions, no I/O. Every figure travels with its n and its interval."""

from harness.analysis.cluster import clustered_mean
from harness.analysis.compare import Comparison, compare_runs
from harness.analysis.dependence import (
    dependent_quantile_interval,
    dependent_quantile_intervals,
    lag_correlation,
)
from harness.analysis.difference import Difference, mean_difference, quantile_difference, ratio_difference
from harness.analysis.forecast import Forecast, forecast_cost
from harness.analysis.frontier import Candidate, Recommendation, Standing, pareto_set, recommend
from harness.analysis.interval import Estimate, QuantileInterval, Sides, quantile_interval, wilson
from harness.analysis.percentile import Quantile, latency_percentile, min_requests, neighbours
from harness.analysis.power import cases_for_difference, chance_of_passing, plan_for_share, requests_to_tell
from harness.analysis.sample import LatencySample, RunFacts, counted, latency_sample
from harness.analysis.savings import CostOutcome, Savings, measured_savings
from harness.analysis.sequential import (
    ArrivalOrderTest,
    Decision,
    SequentialOutcome,
    SequentialTest,
    decide_sequence,
)

__all__ = [
    "ArrivalOrderTest",
    "Candidate",
    "Comparison",
    "CostOutcome",
    "Decision",
    "Difference",
    "Estimate",
    "Forecast",
    "LatencySample",
    "Quantile",
    "QuantileInterval",
    "Recommendation",
    "RunFacts",
    "Savings",
    "SequentialOutcome",
    "SequentialTest",
    "Sides",
    "Standing",
    "cases_for_difference",
    "chance_of_passing",
    "clustered_mean",
    "compare_runs",
    "counted",
    "decide_sequence",
    "dependent_quantile_interval",
    "dependent_quantile_intervals",
    "forecast_cost",
    "lag_correlation",
    "latency_percentile",
    "latency_sample",
    "mean_difference",
    "measured_savings",
    "min_requests",
    "neighbours",
    "pareto_set",
    "plan_for_share",
    "quantile_difference",
    "quantile_interval",
    "ratio_difference",
    "recommend",
    "requests_to_tell",
    "wilson",
]
