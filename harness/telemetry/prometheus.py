"""The metric catalogue as Prometheus text, with money added up in Decimal so that sums stay exact."""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from harness.telemetry.base import RequestEvent
from harness.telemetry.catalogue import METRICS, Metric, MetricKind, observations

LATENCY_BOUNDS_MS = (
    50.0,
    100.0,
    250.0,
    500.0,
    1000.0,
    2000.0,
    3000.0,
    4000.0,
    6000.0,
    8000.0,
    12000.0,
    30000.0,
)
"""Bucket bounds; 8000 is the gate's limit, so that a dashboard can count what is over it."""

Labels = tuple[str, ...]


class PrometheusSink:
    """Adds events up in memory; `text` renders them. Cheap enough to be called on the request's path.

    Args:
        gauges: further figures read at each scrape: name to (help, reader).
        counters: further counts, read at each scrape: name to (help, label names, counts by label values).
    """

    name = "prometheus"

    def __init__(
        self,
        gauges: Mapping[str, tuple[str, Callable[[], float]]] | None = None,
        counters: Mapping[str, tuple[str, Labels, Mapping[Labels, int]]] | None = None,
    ) -> None:
        self._gauges = dict(gauges or {})
        self._counters = dict(counters or {})
        self._lock = threading.Lock()
        self._sums: dict[Metric, dict[Labels, Decimal]] = {metric: defaultdict(Decimal) for metric in METRICS}
        self._counts: dict[Metric, dict[Labels, int]] = {metric: defaultdict(int) for metric in METRICS}
        self._buckets: dict[Labels, list[int]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(_EventCollector(self._families))

    def emit(self, event: RequestEvent) -> None:
        """Add one event."""
        with self._lock:
            for seen in observations(event):
                labels = tuple(seen.tags[tag] for tag in seen.metric.tags)
                self._sums[seen.metric][labels] += Decimal(str(seen.value))
                self._counts[seen.metric][labels] += 1
                if seen.metric.unit == "ms":
                    counts = self._buckets.setdefault(labels, [0] * (len(LATENCY_BOUNDS_MS) + 1))
                    counts[bisect_left(LATENCY_BOUNDS_MS, float(seen.value))] += 1

    def close(self) -> None:
        """Nothing to release."""

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self._registry)

    def _families(self) -> Iterator[Family]:
        with self._lock:
            for metric in METRICS:
                if metric.kind is MetricKind.COUNT:
                    yield self._counter(metric)
                elif metric.unit == "ms":
                    yield self._histogram(metric)
                else:
                    yield self._summary(metric)
        for name, (text, read) in self._gauges.items():
            yield GaugeMetricFamily(name, text, value=read())
        for name, (text, label_names, counts) in self._counters.items():
            family = CounterMetricFamily(name, text, labels=label_names)
            for labels, count in list(counts.items()):
                family.add_metric(labels, count)
            yield family

    def _counter(self, metric: Metric) -> Family:
        family = CounterMetricFamily(metric.prometheus_name, metric.help, labels=metric.tags)
        for labels, count in self._counts[metric].items():
            family.add_metric(labels, count)
        return family

    def _summary(self, metric: Metric) -> Family:
        family = SummaryMetricFamily(metric.prometheus_name, metric.help, labels=metric.tags)
        for labels, count in self._counts[metric].items():
            family.add_metric(labels, count_value=count, sum_value=float(self._sums[metric][labels]))
        return family

    def _histogram(self, metric: Metric) -> Family:
        family = HistogramMetricFamily(metric.prometheus_name, metric.help, labels=metric.tags)
        for labels, counts in self._buckets.items():
            total = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*map(str, LATENCY_BOUNDS_MS), "+Inf"), counts, strict=True):
                total += count
                buckets.append((bound, total))
            family.add_metric(labels, buckets, sum_value=float(self._sums[metric][labels]))
        return family


class _EventCollector(Collector):
    def __init__(self, families: Callable[[], Iterable[Family]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families()
