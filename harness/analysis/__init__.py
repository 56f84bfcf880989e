"""Statistics on recorded rows: pure functions, no I/O. Every figure travels with its n and its interval."""

from harness.analysis.cluster import clustered_mean
from harness.analysis.dependence import dependent_quantile_interval, lag_correlation
from harness.analysis.interval import Estimate, QuantileInterval, Sides, quantile_interval, wilson
from harness.analysis.percentile import Quantile, latency_percentile, min_requests
from harness.analysis.sample import LatencySample, RunFacts, counted, latency_sample
from harness.analysis.sequential import (
    ArrivalOrderTest,
    Decision,
    SequentialOutcome,
    SequentialTest,
    decide_sequence,
)

__all__ = [
    "ArrivalOrderTest",
    "Decision",
    "Estimate",
    "LatencySample",
    "Quantile",
    "QuantileInterval",
    "RunFacts",
    "SequentialOutcome",
    "SequentialTest",
    "Sides",
    "clustered_mean",
    "counted",
    "decide_sequence",
    "dependent_quantile_interval",
    "lag_correlation",
    "latency_percentile",
    "latency_sample",
    "min_requests",
    "quantile_interval",
    "wilson",
]
