"""Values made to fit a JSON schema, as constrained decoding makes a model's output fit."""

from collections.abc import Mapping
from random import Random
from typing import Any

from harness.emulator.draws import Draws

NOTHING = object()
_MAX_DEPTH = 12
_WORDS = ("steady", "cost", "quality", "delay", "margin", "customer", "plan", "risk", "team", "result")


def fitted(value: Any, schema: Mapping[str, Any], draws: Draws) -> Any:
    """The value with whatever the schema requires added, and whatever it forbids taken away.

    Args:
        value: what the model would say; NOTHING to have everything made up.
        schema: a JSON schema (object, array, scalar types, enum, const, anyOf/oneOf/allOf, local $ref).
        draws: the request's chances.
    """
    return _fit(value, schema, _Context(schema, draws.stream("schema")), 0)


class _Context:
    def __init__(self, root: Mapping[str, Any], rng: Random) -> None:
        self.root = root
        self.rng = rng

    def resolved(self, schema: Any) -> Mapping[str, Any]:
        """The schema behind a local reference."""
        if isinstance(schema, dict) and "$ref" not in schema:
            return schema
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, Mapping):
                return {}
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                return schema
            node: Any = self.root
            for part in reference.removeprefix("#").strip("/").split("/"):
                node = node.get(part, {}) if isinstance(node, Mapping) and part else node
            schema = node
        return {}


def _fit(value: Any, schema: Any, context: _Context, depth: int) -> Any:
    rules = context.resolved(schema)
    branches = rules.get("anyOf") or rules.get("oneOf") or rules.get("allOf")
    if isinstance(branches, list):
        return _fit_choice(value, branches, context, depth)
    allowed = [rules["const"]] if "const" in rules else rules.get("enum")
    if isinstance(allowed, list) and allowed:
        return value if value in allowed else context.rng.choice(allowed)
    kinds = rules.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    made_up = value is NOTHING
    if made_up and depth > 1 and ("null" in kinds or depth > _MAX_DEPTH):
        return None
    if isinstance(value, dict) or (made_up and ("object" in kinds or "properties" in rules)):
        return _fit_object({} if made_up else value, rules, context, depth)
    if isinstance(value, list) or (made_up and "array" in kinds):
        return _fit_array(value, rules, context, depth)
    return _scalar(kinds, rules, context.rng) if made_up else value


def _fit_choice(value: Any, branches: list[Any], context: _Context, depth: int) -> Any:
    resolved = [context.resolved(branch) for branch in branches]
    if value is None and any(branch.get("type") == "null" for branch in resolved):
        return None
    if value is NOTHING and depth > 1 and any(branch.get("type") == "null" for branch in resolved):
        return None
    wanted = next((branch for branch in resolved if branch.get("type") != "null"), {})
    return _fit(value, wanted, context, depth + 1)


def _fit_object(value: Any, schema: Mapping[str, Any], context: _Context, depth: int) -> Any:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    closed = schema.get("additionalProperties") is False
    fit = {
        key: _fit(item, properties.get(key, {}), context, depth + 1)
        for key, item in value.items()
        if key in properties or not closed
    }
    for key in schema.get("required") or (list(properties) if not value else []):
        if key not in fit:
            fit[key] = _fit(NOTHING, properties.get(key, {}), context, depth + 2)
    return fit


def _fit_array(value: Any, schema: Mapping[str, Any], context: _Context, depth: int) -> list[Any]:
    items = schema.get("items", {})
    if value is NOTHING:
        least = schema.get("minItems")
        value = [NOTHING] * max(1, least if isinstance(least, int) else 2)
    return [_fit(item, items, context, depth + 1) for item in value]


def _scalar(kinds: list[Any], schema: Mapping[str, Any], rng: Random) -> Any:
    low, high = schema.get("minimum", 0), schema.get("maximum", 1 if "number" in kinds else 10)
    if "integer" in kinds:
        return rng.randint(int(low), int(max(low, high)))
    if "number" in kinds:
        return round(rng.uniform(float(low), float(high)), 3)
    if "boolean" in kinds:
        return rng.random() < 0.5
    if "null" in kinds and "string" not in kinds:
        return None
    return " ".join(rng.choices(_WORDS, k=6)).capitalize() + "."
