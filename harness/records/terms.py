"""What a bill rests on beside its token counts, as an answer told it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

_USUAL = frozenset(
    {
        "auto",
        "default",
        "global",
        "none",
        "normal",
        "not_available",
        "on-demand",
        "on_demand",
        "service_tier_unspecified",
        "standard",
        "standard_only",
        "unspecified",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTerms:
    """In the provider's own words; None is untold, and then nothing is assumed.

    Attributes:
        service_tier: the tier that served (`default`, `priority`, `flex`, `fast`, ...).
        speed: Anthropic's `speed` (`standard`, `fast`).
        inference_geo: where the model ran (`us`, `global`, ...).
        searches: requests of server-side web search.
        tool_calls: other server-side tools' requests.
        citation_tokens: tokens of citations, which a search model bills apart.
        audio_input_tokens: within the input; likewise the other three.
    """

    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    searches: int | None = None
    tool_calls: int | None = None
    citation_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_input_tokens: int | None = None
    image_output_tokens: int | None = None

    def material(self) -> dict[str, str | int]:
        """What makes the bill another than text at the usual terms: as the store keeps it, often nothing."""
        if self is NO_TERMS:
            return {}
        return {name: told for name in _NAMES if (told := getattr(self, name)) and not is_usual(told)}

    def elsewhere(self) -> "ServedTerms":
        """The same work at another provider: what was used, without the words for how this one served it."""
        told = ((name, getattr(self, name)) for name in _NAMES)
        counts: dict[str, Any] = {name: value for name, value in told if isinstance(value, int)}
        return ServedTerms(**counts)


NO_TERMS = ServedTerms()
"""Nothing was told."""

_NAMES = tuple(item.name for item in fields(ServedTerms))


def is_usual(word: object) -> bool:
    """Whether a word for a tier, a speed or a place means the usual terms."""
    return isinstance(word, str) and word.strip().lower() in _USUAL


def terms_from(kept: Mapping[str, Any] | None) -> ServedTerms:
    """The terms again that `material` kept; what is no term of ours is left out."""
    if not kept:
        return NO_TERMS
    known = {item.name: item.type for item in fields(ServedTerms)}
    fit: dict[str, Any] = {
        name: value
        for name, value in kept.items()
        if name in known and isinstance(value, str if "str" in str(known[name]) else int)
    }
    return ServedTerms(**fit)
