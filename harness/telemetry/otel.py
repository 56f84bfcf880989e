"""OpenTelemetry: one span a request with a child span a role, and the GenAI client metrics, over OTLP.

The convention's names stand in one mapping, because the convention still moves.
Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from harness.records import CompletedEvent, FailedEvent
from harness.telemetry.base import RequestEvent

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "operation": "gen_ai.operation.name",
        "provider": "gen_ai.provider.name",
        "model": "gen_ai.request.model",
        "input_tokens": "gen_ai.usage.input_tokens",
        "output_tokens": "gen_ai.usage.output_tokens",
        "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
        "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
        "token_type": "gen_ai.token.type",
        "error_type": "error.type",
        "duration_metric": "gen_ai.client.operation.duration",
        "token_metric": "gen_ai.client.token.usage",
    }
)
"""Our word to the convention's."""

OPERATION = "chat"
FLUSH_MS = 300


class OtelSink:
    """Turns events into spans and metrics of a tracer and a meter of its own: no global state is touched.

    Args:
        span_exporter: where spans go (`otlp_sink` makes the OTLP one).
        metric_exporter: where metrics go.
        service: the resource's `service.name`.
        environment: the resource's `deployment.environment.name`.
    """

    name = "otel"

    def __init__(
        self,
        span_exporter: SpanExporter,
        metric_exporter: MetricExporter,
        *,
        service: str = "harness",
        environment: str | None = None,
    ) -> None:
        resource = Resource.create(
            {"service.name": service, "deployment.environment.name": environment or "unknown"}
        )
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(span_exporter))
        reader = PeriodicExportingMetricReader(metric_exporter)
        self._metrics = MeterProvider(resource=resource, metric_readers=[reader], shutdown_on_exit=False)
        self._tracer = self._traces.get_tracer("harness")
        meter = self._metrics.get_meter("harness")
        self._duration = meter.create_histogram(NAMES["duration_metric"], unit="s")
        self._tokens = meter.create_histogram(NAMES["token_metric"], unit="{token}")

    def emit(self, event: RequestEvent) -> None:
        """Record one request."""
        end_ns = _epoch_ns(event.ts)
        start_ns = end_ns - int(event.latency_ms * 1e6)
        request = self._tracer.start_span(
            "assist.draft", kind=SpanKind.SERVER, start_time=start_ns, attributes=_request_attributes(event)
        )
        after_ns = self._role_span(request, event, "draft", start_ns)
        if isinstance(event, CompletedEvent) and event.repaired:
            self._role_span(request, event, "repair", after_ns)
        if isinstance(event, FailedEvent):
            request.set_status(Status(StatusCode.ERROR, event.error_kind))
            request.set_attribute(NAMES["error_type"], event.error_kind)
        request.end(end_time=end_ns)

    def close(self) -> None:
        """Send what is pending, for a moment at most."""
        self._traces.force_flush(FLUSH_MS)
        self._metrics.force_flush(FLUSH_MS)
        self._traces.shutdown()
        self._metrics.shutdown(timeout_millis=FLUSH_MS)

    def _role_span(self, parent: Span, event: RequestEvent, role: str, start_ns: int) -> int:
        """A child span of one role; returns where it ends, nanoseconds since the epoch."""
        duration_ms = event.stages_ms.get(role)
        source, model = getattr(event, f"{role}_source"), getattr(event, f"{role}_model")
        if duration_ms is None or source is None:
            return start_ns
        attributes = {NAMES["operation"]: OPERATION, NAMES["provider"]: source, NAMES["model"]: model}
        tokens = _tokens(event, role)
        span = self._tracer.start_span(
            f"{OPERATION} {model}",
            context=set_span_in_context(parent),
            kind=SpanKind.CLIENT,
            start_time=start_ns,
            attributes={**attributes, **{NAMES[name]: count for name, count in tokens.items()}},
        )
        end_ns = start_ns + int(duration_ms * 1e6)
        span.end(end_time=end_ns)
        error = {NAMES["error_type"]: event.error_kind} if isinstance(event, FailedEvent) else {}
        self._duration.record(duration_ms / 1_000, {**attributes, **error})
        for kind in ("input", "output"):
            if f"{kind}_tokens" in tokens:
                self._tokens.record(tokens[f"{kind}_tokens"], {**attributes, NAMES["token_type"]: kind})
        return end_ns


def otlp_sink(*, service: str, environment: str | None) -> OtelSink:
    """A sink over OTLP/HTTP; the exporters read the standard `OTEL_EXPORTER_OTLP_*` variables."""
    return OtelSink(OTLPSpanExporter(), OTLPMetricExporter(), service=service, environment=environment)


def _tokens(event: RequestEvent, role: str) -> dict[str, int]:
    """Known token counts of one role, by our words; unknown ones are left out."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
    counts = {name: getattr(event, f"{role}_{name}", None) for name in names}
    return {name: count for name, count in counts.items() if count is not None}


def _request_attributes(event: RequestEvent) -> dict[str, Any]:
    """The event's own fields under a namespace of ours; what is unknown is left out, never 0."""
    plain = {
        f"harness.{name}": _plain(value)
        for name, value in event.payload().items()
        if name not in ("event", "ts", "stages_ms") and value is not None
    }
    return {**plain, **{f"harness.stage.{stage}_ms": ms for stage, ms in event.stages_ms.items()}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)


def _epoch_ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
