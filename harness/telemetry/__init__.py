"""Where completed events go: JSONL, DogStatsD, OpenTelemetry, Prometheus, the store."""

from harness.telemetry.base import RequestEvent, Sink
from harness.telemetry.catalogue import METRICS, Metric, MetricKind, Observation, observations
from harness.telemetry.fanout import Fanout
from harness.telemetry.jsonl import JsonlSink

__all__ = [
    "METRICS",
    "Fanout",
    "JsonlSink",
    "Metric",
    "MetricKind",
    "Observation",
    "RequestEvent",
    "Sink",
    "observations",
]
