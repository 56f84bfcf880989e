"""What a task asks of a model, and what one successful attempt gave back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from harness.records.kinds import Role
from harness.records.terms import NO_TERMS, ServedTerms
from harness.records.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An earlier turn of a conversation."""

    speaker: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question to a model, provider-agnostic.

    Attributes:
        role: what the call is for.
        system: the stable part, first, so that prompt caches can serve it.
        user: the part that differs by request.
        turns: earlier turns of the conversation, before `user`.
        output_schema: JSON schema of the answer, or None for free text.
        schema_name: the schema's name, as structured-output APIs want one.
        max_tokens: upper bound on output tokens; the cost guard reserves all of it.
        temperature: sent only to models that accept one; None leaves it to the provider.
    """

    role: Role
    system: str
    user: str
    turns: tuple[Turn, ...] = ()
    output_schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    max_tokens: int = 4096
    temperature: float | None = None

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation without the system prompt, as both kinds of chat APIs take it."""
        earlier = [{"role": turn.speaker, "content": turn.text} for turn in self.turns]
        return [*earlier, {"role": "user", "content": self.user}]

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that is said in it, the system prompt first."""
        return (self.system, *(turn.text for turn in self.turns), self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One attempt that answered.

    Attributes:
        text: the whole answer, assembled from the stream.
        usage: what was billed; None when the provider did not say (then the cost is unknown, never 0).
        model: the model that answered: the served one where it is told, else the one asked.
        stop_reason: the provider's own word.
        ttft_ns: send to first token of any kind (thinking, audio, a call), nanoseconds; None when nothing was
            streamed.
        first_answer_ns: send to first piece of the answer's text, nanoseconds.
        provider_request_id: the provider's own id, for its support.
        emulated: True when the answer carried `x-harness-emulated`.
        rate_limits: the provider's rate-limit headers, lower-cased names.
        price_context: the tier that the provider says served it: standard, priority, flex, batch, scale.
        served_model: the model that the provider says answered; None where it does not say.
        provider_cost_usd: the provider's own bill, US dollars; None where it does not say.
        usage_remarks: what was mended or left out to get at the usage, a clause each.
        terms: what else the bill rests on.
    """

    text: str
    usage: Usage | None
    model: str
    stop_reason: str | None = None
    ttft_ns: int | None = None
    provider_request_id: str | None = None
    emulated: bool = False
    rate_limits: Mapping[str, str] = field(default_factory=dict)
    price_context: str = "standard"
    first_answer_ns: int | None = None
    served_model: str | None = None
    provider_cost_usd: Decimal | None = None
    usage_remarks: tuple[str, ...] = ()
    terms: ServedTerms = NO_TERMS
