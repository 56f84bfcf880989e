"""Where completed events go: JSONL, DogStatsD, OpenTelemetry, Prometheus, the store."""

from harness.telemetry.base import RequestEvent, Sink
from harness.telemetry.catalogue import METRICS, Metric, MetricKind, Observation, observations
from harness.telemetry.dogstatsd import DogStatsdSink
from harness.telemetry.fanout import Fanout
from harness.telemetry.jsonl import JsonlSink
from harness.telemetry.prometheus import PrometheusSink
from harness.telemetry.sinks import configured_sinks
from harness.telemetry.store import StoreSink, event_row

__all__ = [
    "METRICS",
    "DogStatsdSink",
    "Fanout",
    "JsonlSink",
    "Metric",
    "MetricKind",
    "Observation",
    "PrometheusSink",
    "RequestEvent",
    "Sink",
    "StoreSink",
    "configured_sinks",
    "event_row",
    "observations",
]
