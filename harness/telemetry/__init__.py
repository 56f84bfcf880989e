"""Where completed events go: JSONL, DogStatsD, OpenTelemetry, Prometheus, the store."""

from harness.telemetry.base import RequestEvent, Sink
from harness.telemetry.catalogue import METRICS, Metric, MetricKind, Observation, observations
from harness.telemetry.fanout import Fanout
from harness.telemetry.jsonl import JsonlSink
from harness.telemetry.prometheus import PrometheusSink

__all__ = [
    "METRICS",
    "Fanout",
    "JsonlSink",
    "Metric",
    "MetricKind",
    "Observation",
    "PrometheusSink",
    "RequestEvent",
    "Sink",
    "observations",
]
