"""The models the emulator answers for, read from `models.json`."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from harness.emulator.quantile import LatencyCurve

_FILE = Path(__file__).with_name("models.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """USD per million tokens; None where the provider sells no such thing."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    cache_write_5m: Decimal | None
    cache_write_1h: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """How one family of models behaves.

    Attributes:
        name: the family's name.
        wire: `anthropic`, `openai`, `gemini` or `bedrock`.
        latency: quantile function of the whole answer's time, ms.
        ttft_share: typical share of that time before the first token, 0..1.
        quality: chance that each option or figure of the brief reaches the graph, 0..1.
        defect_rate: chance that a draft breaks a rule, 0..1.
        repair_success: chance that a repair mends everything, 0..1.
        sampling: accepts `temperature`, `top_p`, `top_k`.
        json_schema: accepts a JSON schema for its output.
        tools: can be made to call a tool.
        responses_only: OpenAI's responses route is its only one.
        reasoning_share: typical reasoning tokens per visible token; 0 for models that do not reason.
        max_output_tokens: most output tokens it accepts to be asked for.
        context_tokens: most input tokens.
        min_cacheable_tokens: shortest cacheable prefix; None when it has no prompt cache.
        price: None when the emulator knows none.
        long_context_above: input tokens beyond which `long_price` holds.
    """

    name: str
    wire: str
    latency: LatencyCurve
    ttft_share: float
    quality: float
    defect_rate: float
    repair_success: float
    sampling: bool
    json_schema: bool
    reasoning_share: float
    max_output_tokens: int
    context_tokens: int
    min_cacheable_tokens: int | None
    price: PriceRow | None
    tools: bool = True
    responses_only: bool = False
    long_context_above: int | None = None
    long_price: PriceRow | None = None


def find_model(model: str, wire: str) -> ModelProfile | None:
    """The profile of a model id on one wire, or None: the provider knows no such model."""
    profile = _catalogue().get(model)
    return profile if profile is not None and profile.wire == wire else None


def model_ids(wire: str) -> list[str]:
    """Every id of one wire, in the data file's order."""
    return [model for model, profile in _catalogue().items() if profile.wire == wire]


@cache
def _catalogue() -> dict[str, ModelProfile]:
    families = orjson.loads(_FILE.read_bytes())["families"]
    return {model: profile for row in families for profile in [_profile(row)] for model in row["ids"]}


def _profile(row: dict[str, Any]) -> ModelProfile:
    long_context = row.get("long_context") or {}
    return ModelProfile(
        name=row["name"],
        wire=row["wire"],
        latency=LatencyCurve.through(row["latency_ms"]),
        ttft_share=row["ttft_share"],
        quality=row["quality"],
        defect_rate=row["defect_rate"],
        repair_success=row["repair_success"],
        sampling=row["sampling"],
        json_schema=row["json_schema"],
        reasoning_share=row.get("reasoning_share", 0.0),
        max_output_tokens=row["max_output_tokens"],
        context_tokens=row["context_tokens"],
        min_cacheable_tokens=row["min_cacheable_tokens"],
        price=_price(row["price"]),
        tools=row.get("tools", True),
        responses_only=row.get("responses_only", False),
        long_context_above=long_context.get("above_input_tokens"),
        long_price=_price(long_context.get("price")),
    )


def _price(values: list[str | None] | None) -> PriceRow | None:
    if values is None:
        return None
    given, produced, read, write_5m, write_1h = (None if v is None else Decimal(v) for v in values)
    if given is None or produced is None:
        raise ValueError("a price needs at least input and output")
    return PriceRow(
        input=given, output=produced, cache_read=read, cache_write_5m=write_5m, cache_write_1h=write_1h
    )
