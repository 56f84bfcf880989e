"""Which JSON schemas the providers' structured outputs accept; the rest they refuse with a sentence."""

from collections.abc import Iterator, Mapping
from typing import Any

_ANTHROPIC_REFUSES = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems"),
}
_OPENAI_REFUSES = ("allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "oneOf")
_TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}


def anthropic_problem(schema: Any) -> str | None:
    """Why Anthropic refuses the schema, or None."""
    for _, node in _nodes(schema, ()):
        kinds = _kinds(node)
        if not kinds <= _TYPES:
            return f"Invalid schema type {min(kinds - _TYPES)!r}"
        if "object" in kinds and node.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
        for kind in sorted(kinds):
            refused = [word for word in _ANTHROPIC_REFUSES.get(kind, ()) if word in node]
            if refused:
                return f"For '{kind}' type, properties {', '.join(refused)} are not supported"
        if "array" in kinds and node.get("minItems", 0) not in (0, 1):
            return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    return None


def openai_problem(schema: Any) -> str | None:
    """Why OpenAI's strict mode refuses the schema, or None."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        found = schema.get("type") if isinstance(schema, Mapping) else schema
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{found}\"'."
    for path, node in _nodes(schema, ()):
        context = f"In context={path!r}, "
        kinds = _kinds(node)
        if not kinds <= _TYPES:
            return f"{context}'{min(kinds - _TYPES)}' is not valid under any of the given schemas."
        refused = [word for word in _OPENAI_REFUSES if word in node]
        if refused:
            return f"{context}'{refused[0]}' is not permitted."
        if "object" not in kinds:
            continue
        if node.get("additionalProperties") is not False:
            return f"{context}'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in node.get("properties", {}) if name not in node.get("required", [])]
        if missing:
            return (
                f"{context}'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missing[0]}'."
            )
    return None


def _kinds(node: Mapping[str, Any]) -> set[str]:
    kind = node.get("type")
    return set(kind) if isinstance(kind, list) else ({kind} if isinstance(kind, str) else set())


def _nodes(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every subschema, with its path, parents first."""
    if not isinstance(node, Mapping):
        return
    yield path, node
    for group in ("properties", "$defs", "definitions"):
        children = node.get(group)
        if isinstance(children, Mapping):
            for name, child in children.items():
                yield from _nodes(child, (*path, group, str(name)))
    for group in ("anyOf", "oneOf", "allOf"):
        branches = node.get(group)
        if isinstance(branches, list):
            for index, child in enumerate(branches):
                yield from _nodes(child, (*path, group, str(index)))
    yield from _nodes(node.get("items"), (*path, "items"))
