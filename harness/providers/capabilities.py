"""What each model accepts, and which one `auto` means: one data file, read once.

Rules are matched in order, first match wins; the last rule of a kind is for models nobody here has met.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

DATA_FILE = "models.json"


class Structured(StrEnum):
    """How a model can be held to a JSON schema, strongest first."""

    JSON_SCHEMA = "json_schema"
    TOOL = "tool"
    JSON_OBJECT = "json_object"
    FENCED = "fenced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one model accepts.

    Attributes:
        structured: the strongest way it can be held to a schema.
        sampling: it accepts `temperature`.
        effort: the reasoning effort to ask for, a word or a number of tokens; None for models that take none.
        limit_field: the name of its output limit (`max_tokens` or `max_completion_tokens`).
        api: OpenAI's route that it needs (`responses`), or that suits it.
        cache_points: Bedrock lets it mark what is to be cached.
        known: False when only the catch-all rule matched.
    """

    structured: Structured
    sampling: bool
    limit_field: str = "max_tokens"
    effort: str | None = None
    api: str = "chat"
    cache_points: bool = False
    known: bool = True


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("harness.providers").joinpath(DATA_FILE).read_text("utf-8"))
    return loaded


def shipped_default(kind: str) -> str | None:
    """The model that `auto` means for a shipped wire format; None for a plug-in's kind."""
    entry = _data().get(kind)
    return None if entry is None else str(entry["default"])


def capabilities_of(kind: str, model: str) -> Capabilities:
    """What a model accepts, by the first rule of its kind that matches.

    Raises:
        KeyError: a kind without rules; only the shipped adapters ask.
    """
    for rule in _data()[kind]["rules"]:
        if fnmatchcase(model, rule["match"]):
            return Capabilities(
                structured=Structured(rule["structured"]),
                sampling=rule["sampling"],
                limit_field=rule.get("limit_field", "max_tokens"),
                effort=rule.get("effort"),
                api=rule.get("api", "chat"),
                cache_points=rule.get("cache_points", False),
                known=rule["match"] != "*",
            )
    raise KeyError(model)
