"""The provider's own bill, and the terms it rests on, wherever an answer's usage tells them."""

from decimal import Decimal

from harness.providers.reading.values import JsonObject, as_count_or_none, as_object, as_usd, as_word
from harness.records import ServedTerms

OWN_CONTEXTS = frozenset({"priority", "flex", "batch", "scale"})
"""Service tiers that are billed otherwise than standard; the other words for a tier mean standard."""

_USD_PER_TICK = Decimal("1e-10")
_COSTS = ("cost", "total_cost", "estimated_cost", "cost_estimate", "cost_usd", "total_cost_usd")
_FREE_TOOLS = ("web_fetch_requests",)
"""Server-side tools that cost no more than the tokens they bring.
Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool#usage-and-pricing"""
_SEARCHES = ("web_search_requests", "num_search_queries", "num_web_searches")


def price_context_of(tier: object) -> str | None:
    """The price book's name of a service tier that is billed otherwise than standard; None for any other."""
    return tier if isinstance(tier, str) and tier in OWN_CONTEXTS else None


def own_cost_usd(usage: JsonObject, body: JsonObject) -> Decimal | None:
    """What the provider says the answer cost: OpenRouter, x-ai, Perplexity, DeepInfra and gateways.

    Args:
        usage: the answer's usage object.
        body: the answer, or its last event, for gateways that tell it beside the usage.

    Returns:
        US dollars; None when untold. Where the answer was billed to one's own key at another provider
        (`is_byok`), that provider's bill is added to the gateway's fee.
    """
    ticks = usage.get("cost_in_usd_ticks")
    if type(ticks) is int:
        return as_usd(ticks * _USD_PER_TICK)
    for told in (usage, body):
        for name in _COSTS:
            cost = as_usd(_total(told.get(name)))
            if cost is not None:
                return cost + _upstream_usd(usage)
    return None


def _total(told: object) -> object:
    """Perplexity tells an object of parts with their total."""
    return told.get("total_cost") if isinstance(told, dict) else told


def _upstream_usd(usage: JsonObject) -> Decimal:
    if usage.get("is_byok") is not True:
        return Decimal(0)
    return as_usd(as_object(usage.get("cost_details")).get("upstream_inference_cost")) or Decimal(0)


def terms_of(usage: JsonObject, *, tier: object) -> ServedTerms:
    """What else the bill rests on."""
    tools = as_object(usage.get("server_tool_use"))
    inside = as_object(usage.get("prompt_tokens_details"))
    spent = as_object(usage.get("completion_tokens_details"))
    searches = [as_count_or_none(told.get(name)) for told in (tools, usage) for name in _SEARCHES]
    billed = [name for name in tools if name not in _SEARCHES and name not in _FREE_TOOLS]
    others = [as_count_or_none(tools[name]) for name in billed]
    return ServedTerms(
        service_tier=as_word(tier),
        speed=as_word(usage.get("speed")),
        inference_geo=as_word(usage.get("inference_geo")),
        searches=next((count for count in searches if count is not None), None),
        tool_calls=sum(count or 0 for count in others) if others else None,
        citation_tokens=as_count_or_none(usage.get("citation_tokens")),
        audio_input_tokens=as_count_or_none(inside.get("audio_tokens")),
        audio_output_tokens=as_count_or_none(spent.get("audio_tokens")),
        image_input_tokens=as_count_or_none(inside.get("image_tokens")),
        image_output_tokens=as_count_or_none(spent.get("image_tokens")),
    )
