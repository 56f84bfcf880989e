"""What a task asks of a model, and what one successful attempt gave back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.records.kinds import Role
from harness.records.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One question to a model, provider-agnostic.

    Attributes:
        role: what the call is for.
        system: the stable part, first, so that prompt caches can serve it.
        user: the part that differs by request.
        output_schema: JSON schema of the answer, or None for free text.
        schema_name: the schema's name, as structured-output APIs want one.
        max_tokens: upper bound on output tokens; the cost guard reserves all of it.
        temperature: sent only to models that accept one; None leaves it to the provider.
    """

    role: Role
    system: str
    user: str
    output_schema: Mapping[str, Any] | None = None
    schema_name: str = "answer"
    max_tokens: int = 4096
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One attempt that answered.

    Attributes:
        text: the whole answer, assembled from the stream.
        usage: what was billed; None when the provider did not say (then the cost is unknown, never 0).
        model: the model that the provider says answered.
        stop_reason: the provider's own word.
        ttft_ns: send to first content token, nanoseconds; None when nothing was streamed.
        provider_request_id: the provider's own id, for its support.
        emulated: True when the answer carried `x-harness-emulated`.
        rate_limits: the provider's rate-limit headers, lower-cased names.
        price_context: the tier that the provider says served it: standard, priority, flex, batch, scale.
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
