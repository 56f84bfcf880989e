"""Holding a model to a JSON schema when its API cannot, and reading what comes back."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from harness.providers.capabilities import Structured
from harness.records import Completion, Prompt, dump_json

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)


def instructed(prompt: Prompt, *, fence: bool) -> str:
    """The system text with an appended demand for one JSON object; unchanged without a schema.

    Args:
        prompt: whose schema the object must match.
        fence: wrap it in a ```json fence, for models that like to talk around their answer.
    """
    if prompt.output_schema is None:
        return prompt.system
    where = " inside a ```json fence" if fence else ""
    schema = dump_json(dict(prompt.output_schema)).decode()
    return (
        f"{prompt.system}\n\nAnswer with exactly one JSON object{where} and nothing else. "
        f"It must match this JSON schema:\n{schema}"
    ).lstrip()


def system_text(prompt: Prompt, mode: Structured | None) -> str:
    """The system text, with the demand for an object where the mode tells the API nothing of the schema."""
    if mode not in (Structured.JSON_OBJECT, Structured.FENCED):
        return prompt.system
    return instructed(prompt, fence=mode is Structured.FENCED)


def unfenced(text: str) -> str:
    """The content of the first fenced block of a text that does not itself begin as JSON."""
    if text.lstrip()[:1] in ("{", "["):
        return text
    found = _FENCE.search(text)
    return found.group(1) if found else text


def plain_answer(completion: Completion, prompt: Prompt) -> Completion:
    """The completion without a fence around its object, where the prompt asked for one by schema."""
    return completion if prompt.output_schema is None else replace(completion, text=unfenced(completion.text))


def is_strict(schema: Any) -> bool:
    """Whether a schema meets the rules of OpenAI's strict mode: every object closed, every property required.

    Source: https://developers.openai.com/api/docs/guides/structured-outputs, supported schemas.
    """
    if isinstance(schema, list | tuple):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties", {})
    if "properties" in schema or schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties):
            return False
    nested = [schema.get(key, ()) for key in ("items", "anyOf", "allOf", "oneOf", "not")]
    return all(map(is_strict, [*nested, *properties.values(), *schema.get("$defs", {}).values()]))


@lru_cache(maxsize=64)
def claude_schema(schema_json: bytes) -> dict[str, Any] | None:
    """The schema as Claude's structured outputs accept it, other limits moved into words; None if not."""
    import anthropic  # noqa: PLC0415 - half a second, for those who ask Claude

    try:
        return anthropic.transform_schema(json.loads(schema_json))
    except (ValueError, TypeError, AttributeError, AssertionError):
        return None


def within_claude(mode: Structured | None, prompt: Prompt) -> Structured | None:
    """The mode, or a forced tool where it is a JSON schema that Claude's structured outputs do not take."""
    is_schema = mode is Structured.JSON_SCHEMA
    if is_schema and claude_schema(dump_json(dict(prompt.output_schema or {}))) is None:
        return Structured.TOOL
    return mode
