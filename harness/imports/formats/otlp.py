"""OTLP JSON: a file exporter's lines, one trace a line, or a whole export; also one span as an object.

The file exporter of the collector writes `resourceSpans` a line, the SDKs' console exporters one span a line.
"""

from collections.abc import Mapping
from typing import Any

from harness.imports.conventions import environment_of, observed, tags_of
from harness.imports.observed import Batch, JsonObject
from harness.imports.times import nanoseconds
from harness.providers.reading.values import as_list, as_object
from harness.records import dump_json

NAME = "otlp"
ABOUT = "OTLP JSON with GenAI, OpenInference, Traceloop, Vercel AI SDK or logfire attributes"

_FIRST_CHUNK = (
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    "ai.stream.firstChunk",
    "first token",
)
_ERROR, _OK = (2, "STATUS_CODE_ERROR", "ERROR"), (1, "STATUS_CODE_OK", "OK")


def recognises(value: JsonObject) -> bool:
    """A batch of OTLP spans, or one span as the SDKs' console exporters write it."""
    if "resourceSpans" in value or "resource_spans" in value:
        return True
    context = as_object(value.get("context"))
    return "trace_id" in context and "span_id" in context and "attributes" in value


def read(value: JsonObject, batch: Batch, environment: str | None) -> str | None:
    """Take one line's spans in.

    Args:
        value: the line.
        batch: takes the observations.
        environment: of spans whose resource does not tell theirs.

    Returns:
        What is wrong with it as a clause; None when its spans were taken, or it has none.
    """
    if "context" in value:
        return _console_span(value, batch, environment)
    before = len(batch.observed)
    bad = 0
    for resource_spans in as_list(value.get("resourceSpans") or value.get("resource_spans")):
        group = as_object(resource_spans)
        resource = _plain(as_object(group.get("resource")).get("attributes"))
        where = environment_of(resource) or environment
        tags = tags_of(resource)
        text = dump_json(tags).decode() if tags else None
        scopes = (
            group.get("scopeSpans") or group.get("scope_spans") or group.get("instrumentationLibrarySpans")
        )
        for scope_spans in as_list(scopes):
            for span in as_list(as_object(scope_spans).get("spans")):
                bad += not (isinstance(span, dict) and _take(span, batch, where, text))
    if bad and len(batch.observed) == before:
        return f"{bad} spans without ids or times"
    for _ in range(bad):
        batch.cannot_read("span")
    return None


def _take(span: Mapping[str, Any], batch: Batch, environment: str | None, tags: str | None) -> bool:
    trace, own = span.get("traceId") or span.get("trace_id"), span.get("spanId") or span.get("span_id")
    started = _ns(span.get("startTimeUnixNano") or span.get("start_time_unix_nano"))
    if not (isinstance(trace, str) and isinstance(own, str) and trace and own) or started is None:
        return False
    ended = _ns(span.get("endTimeUnixNano") or span.get("end_time_unix_nano"))
    status = span.get("status")
    code, message = (status.get("code"), status.get("message")) if type(status) is dict else (None, None)
    parent = span.get("parentSpanId") or span.get("parent_span_id")
    name = span.get("name")
    events = span.get("events")
    attributes = _plain(span.get("attributes"))
    first = None
    if events:
        first = _first_chunk_ns(events)
        if "exception.type" not in attributes:
            attributes.update(_exception(events))
    batch.observed.append(
        observed(
            batch,
            attributes,
            trace=trace[:128],
            span=own[:128],
            parent=parent[:128] if isinstance(parent, str) and parent.strip("0") else None,
            name=name if isinstance(name, str) else "",
            started_ns=started,
            ended_ns=ended if ended is not None and ended >= started else None,
            status="error" if code in _ERROR else "ok" if code in _OK else None,
            message=message if isinstance(message, str) else None,
            first_chunk_ns=first,
            environment=environment,
            tags=tags,
        )
    )
    return True


def _console_span(value: JsonObject, batch: Batch, environment: str | None) -> str | None:
    """One span as `ConsoleSpanExporter` writes it: hexadecimal ids, ISO times, plain attributes."""
    context, status = as_object(value.get("context")), as_object(value.get("status"))
    resource = as_object(as_object(value.get("resource")).get("attributes"))
    started, ended = nanoseconds(value.get("start_time")), nanoseconds(value.get("end_time"))
    if started is None:
        return "a span without a start time"
    parent = value.get("parent_id")
    tags = tags_of(resource)
    code = status.get("status_code")
    batch.observed.append(
        observed(
            batch,
            as_object(value.get("attributes")),
            trace=str(context.get("trace_id")).removeprefix("0x")[:128],
            span=str(context.get("span_id")).removeprefix("0x")[:128],
            parent=parent.removeprefix("0x")[:128] if isinstance(parent, str) else None,
            name=str(value.get("name") or ""),
            started_ns=started,
            ended_ns=ended if ended is not None and ended >= started else None,
            status="error" if code in _ERROR else "ok" if code in _OK else None,
            message=status.get("description") if isinstance(status.get("description"), str) else None,
            first_chunk_ns=None,
            environment=environment_of(resource) or environment,
            tags=dump_json(tags).decode() if tags else None,
        )
    )
    return None


def _plain(attributes: Any) -> dict[str, Any]:
    """OTLP's key and value pairs as a plain object; a value of no known type is left out."""
    found: dict[str, Any] = {}
    if type(attributes) is not list:
        return found
    for pair in attributes:
        try:
            key, value = pair["key"], pair["value"]
            ((kind, held),) = value.items()
        except (TypeError, KeyError, ValueError, AttributeError):
            continue
        if type(key) is not str:
            continue
        if kind == "stringValue":
            found[key] = held
        elif kind == "intValue":
            try:
                found[key] = int(held)
            except (TypeError, ValueError, OverflowError):
                found[key] = str(held)
        elif kind in ("doubleValue", "boolValue"):
            found[key] = held
        elif kind == "arrayValue":
            items = as_list(as_object(held).get("values"))
            found[key] = [next(iter(item.values()), None) for item in items if isinstance(item, dict)]
    return found


def _ns(value: Any) -> int | None:
    """Nanoseconds since 1970, a number or its digits."""
    if type(value) is str:
        if not (value.isascii() and value.isdigit()) or len(value) > 19:
            return None
        value = int(value)
    return value if type(value) is int and 0 < value < 2**63 else None


def _first_chunk_ns(events: Any) -> int | None:
    moments = [
        moment
        for event in as_list(events)
        if isinstance(event, dict)
        and str(event.get("name")).lower().startswith(_FIRST_CHUNK_LOW)
        and (moment := _ns(event.get("timeUnixNano"))) is not None
    ]
    return min(moments, default=None)


_FIRST_CHUNK_LOW = tuple(name.lower() for name in _FIRST_CHUNK)


def _exception(events: Any) -> dict[str, Any]:
    for event in as_list(events):
        if isinstance(event, dict) and event.get("name") == "exception":
            told = _plain(event.get("attributes"))
            return {"exception.type": told["exception.type"]} if told.get("exception.type") else {}
    return {}
