"""What one answer told, read from the places that a scenario names."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from harness.inputs import ABSENT
from harness.load.scenario.conditions import Lookup
from harness.load.scenario.model import AnswerPlaces, UsagePlaces, Wire
from harness.load.scenario.places import Place
from harness.providers.reading.answer import ReadAnswer
from harness.providers.reading.counts import (
    NOT_COUNTED,
    Counted,
    chat_usage,
    converse_usage,
    gemini_usage,
    messages_usage,
    normalised,
)
from harness.providers.reading.values import Illegible, as_count, as_object, as_usd, as_word
from harness.records import NO_TERMS, ServedTerms, Tier, Usage

_SHAPES = {
    "openai": chat_usage,
    "responses": chat_usage,
    "anthropic": messages_usage,
    "gemini": gemini_usage,
    "bedrock": converse_usage,
}
MOST_MS = 1e9


@dataclass(slots=True)
class Said:
    """What one answer told; None is untold.

    Attributes:
        tells_usage: the scenario says where the usage stands.
        problem: why a usage that was told cannot be used.
    """

    text: str | None = None
    model: str | None = None
    provider: str | None = None
    usage: Usage | None = None
    tells_usage: bool = False
    problem: str | None = None
    cost_usd: Decimal | None = None
    tier: Tier | None = None
    score: float | None = None
    id: str | None = None
    server_ms: float | None = None
    stages_ms: dict[str, float] = field(default_factory=dict)
    is_emulated: bool = False
    price_context: str = "standard"
    terms: ServedTerms = NO_TERMS

    def take_read(self, read: ReadAnswer) -> None:
        """What a provider's room read."""
        self.text, self.model, self.usage = read.text, read.served_model, read.usage
        self.tells_usage, self.cost_usd, self.id = True, read.provider_cost_usd, read.answer_id
        self.price_context, self.terms = read.price_context, read.terms
        self.problem = next(iter(read.remarks), None) if read.usage is None else None

    def take_places(self, places: AnswerPlaces, at: Lookup) -> None:
        """What stands at the places that a scenario names; a value of the wrong type is not told."""

        def told(place: Place | None) -> Any:
            return None if place is None or (value := at(place)) is ABSENT else value

        if isinstance(text := told(places.text), str):
            self.text = text
        self.model = as_word(told(places.model)) or self.model
        self.provider = as_word(told(places.provider)) or self.provider
        if (cost := as_usd(told(places.cost_usd))) is not None:
            self.cost_usd = cost
        self.tier = _tier(told(places.tier)) or self.tier
        score = _number(told(places.score), 1.0)
        self.score = self.score if score is None else score
        self.id = _identifier(told(places.id)) or self.id
        server_ms = _number(told(places.server_ms), MOST_MS)
        self.server_ms = self.server_ms if server_ms is None else server_ms
        for name, place in places.stages_ms.items():
            duration = _number(told(place), MOST_MS)
            if duration is not None:
                self.stages_ms[name] = duration
        if places.usage is not None:
            self.tells_usage = True
            counted = _counted(places.usage, at, has_text=self.text != "")
            self.usage = counted.usage
            self.problem = None if counted.usage else next(iter(counted.remarks), None)


def shape_of(wire: Wire, told: Any) -> Counted:
    """Counts in a provider's own way."""
    return _SHAPES[wire](as_object(told), free_input=False, free_output=False)


def _counted(places: UsagePlaces, at: Lookup, *, has_text: bool) -> Counted:
    if places.shape is not None and places.at is not None:
        told = at(places.at)
        if told is ABSENT or not told:
            return NOT_COUNTED
        return _SHAPES[places.shape](as_object(told), free_input=False, free_output=not has_text)
    try:
        input_tokens, output_tokens = _count(places.input, at), _count(places.output, at)
        read, written = _count(places.cache_read, at), _count(places.cache_write, at)
        reasoning = _count(places.reasoning, at)
    except Illegible:
        return Counted(remarks=("a token count is no number of tokens: usage unknown",))
    return normalised(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        read=read or 0,
        written_5m=written or 0,
        reasoning=reasoning or 0,
        free_input=False,
        free_output=not has_text,
    )


def _count(place: Place | None, at: Lookup) -> int | None:
    value = None if place is None else at(place)
    if isinstance(value, str) and place is not None and place.header is not None and value.isdigit():
        return as_count(int(value[:10]))  # a header has no types
    return None if value is ABSENT else as_count(value)


def _tier(value: Any) -> Tier | None:
    word = value.strip().lower() if isinstance(value, str) else None
    return Tier(word) if word in set(Tier) else None


def _number(value: Any, most: float) -> float | None:
    """A number, also as a header writes it; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= most else None


def _identifier(value: Any) -> str | None:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else as_word(value)
