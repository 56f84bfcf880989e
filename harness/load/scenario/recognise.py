"""Usual places, found in an answer: what a first scenario file may say about it."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.providers.reading.values import parse

_TEXTS = (
    "summary",
    "answer",
    "text",
    "output",
    "content",
    "response",
    "result",
    "completion",
    "reply",
    "message",
    "generated_text",
    "output_text",
    "translation",
)
_SINGLE: Mapping[str, tuple[str, ...]] = {
    "model": ("model", "modelVersion", "model_id", "model_name", "served_model"),
    "cost_usd": ("cost_usd", "total_cost_usd", "cost", "total_cost"),
    "tier": ("quality_tier", "tier"),
    "id": ("id", "request_id", "requestId", "trace_id"),
}
_DEEPEST = 6


def recognised(body: bytes, content_type: str) -> dict[str, Any]:
    """What a scenario may say of answers like this one, as the file would have it: `answer`, `stream`.

    Returns:
        Empty for an answer in which nothing usual stands.
    """
    if "event-stream" in content_type:
        return _of_events(body)
    try:
        fields = parse(body)
    except ValueError:
        return {}
    wire = _wire_of(fields)
    if wire is not None:
        return {"answer": {"wire": wire}}
    answer = _places(fields)
    return {"answer": answer} if answer else {}


def _places(fields: Any) -> dict[str, Any]:
    """Text, model, usage and the rest, at their pointers."""
    if not isinstance(fields, dict):
        return {}
    found: dict[str, Any] = {}
    everything = list(_walk(fields, ""))
    text = _named(everything, _TEXTS, str)
    if text is not None:
        found["text"] = text
    for name, keys in _SINGLE.items():
        kinds = (int, float, str) if name in ("cost_usd", "id") else (str,)
        if (pointer := _named(everything, keys, *kinds)) is not None:
            found[name] = pointer
    for pointer, value in everything:
        shape = _shape_of(value)
        if shape is not None:
            usual = {"gemini": "/usageMetadata"}.get(shape, "/usage")
            found["usage"] = shape if pointer == usual else {"shape": shape, "at": pointer}
            break
    return found


def _walk(value: Any, pointer: str, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every value under its pointer, outer ones first at each level."""
    if not isinstance(value, dict) or depth > _DEEPEST:
        return
    inner = [(f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", held) for key, held in value.items()]
    yield from inner
    for place, held in inner:
        yield from _walk(held, place, depth + 1)


def _named(everything: list[tuple[str, Any]], names: tuple[str, ...], *kinds: type) -> str | None:
    """The first pointer that ends in one of some names, in their order, and holds such a value."""
    for name in names:
        for pointer, value in everything:
            fits = isinstance(value, kinds) and not isinstance(value, bool) and value != ""
            if fits and pointer.rpartition("/")[2] == name:
                return pointer
    return None


def _shape_of(value: Any) -> str | None:
    """Whose way of counting tokens an object is written in; None for one that counts none."""
    if not isinstance(value, dict):
        return None
    keys = value.keys()
    if {"prompt_tokens", "completion_tokens"} <= keys:
        return "openai"
    if {"input_tokens", "output_tokens"} <= keys:
        details = {"input_tokens_details", "output_tokens_details", "total_tokens"}
        return "responses" if details & keys else "anthropic"
    if "promptTokenCount" in keys:
        return "gemini"
    return "bedrock" if {"inputTokens", "outputTokens"} <= keys else None


def _wire_of(fields: Any) -> str | None:
    """Which provider's own answer this is, whole or one event of a stream."""
    if not isinstance(fields, dict):
        return None
    kind = fields.get("type")
    if isinstance(fields.get("choices"), list):
        return "openai"
    if fields.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response.")):
        return "responses"
    if kind in ("message", "message_start") and isinstance(fields.get("message", fields), dict):
        return "anthropic"
    if isinstance(fields.get("candidates"), list):
        return "gemini"
    output = fields.get("output")
    return "bedrock" if isinstance(output, dict) and "message" in output and "usage" in fields else None


def _of_events(body: bytes) -> dict[str, Any]:
    """Which events carry the text, and what stands in the others."""
    events: list[tuple[str, Any]] = []
    name = ""
    for line in body.splitlines():
        if line.startswith(b"event:"):
            name = line[6:].strip().decode(errors="replace")
        elif line.startswith(b"data:"):
            try:
                events.append((name, parse(line[5:].strip())))
            except ValueError:
                continue
        elif not line:
            name = ""
    wire = next((found for _, fields in events if (found := _wire_of(fields)) is not None), None)
    if wire is not None:
        return {"stream": "sse", "answer": {"wire": wire}}
    answer: dict[str, Any] = {}
    content = _content_of(events)
    for event, fields in events:
        for key, place in _places(fields).items():
            if key == "text":
                continue
            answer[key] = _in_event(place, event)
    stream: Any = "sse" if content is None else {"kind": "sse", "content": content}
    return {"stream": stream, **({"answer": answer} if answer else {})}


def _in_event(place: Any, event: str) -> Any:
    if isinstance(place, dict):
        return {**place, "at": _in_event(place["at"], event)}
    return f"event:{event}#{place}" if event and str(place).startswith("/") else place


def _content_of(events: list[tuple[str, Any]]) -> str | None:
    """The place whose texts come most often: the pieces of the answer."""
    seen: dict[str, int] = {}
    for event, fields in events:
        for pointer, value in _walk(fields, ""):
            if isinstance(value, str) and pointer.rpartition("/")[2] not in ("id", "model", "type", "object"):
                place = _in_event(pointer, event)
                seen[place] = seen.get(place, 0) + 1
    best = max(seen.items(), key=lambda item: item[1], default=None)
    return best[0] if best is not None and best[1] > 1 else None
