"""What a bill rests on beside its token counts, as an answer told it."""

from dataclasses import dataclass


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


NO_TERMS = ServedTerms()
"""Nothing was told."""
