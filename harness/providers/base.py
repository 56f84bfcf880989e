"""What every provider adapter offers: one attempt, streamed, classified when it fails."""

from dataclasses import dataclass
from typing import Literal, Protocol

from harness.addresses import shown
from harness.records import Completion, Prompt

CostSource = Literal["ours", "provider"]
COST_BY_PROVIDER: CostSource = "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """How to reach one provider. `api_key` is a secret: it is never printed, logged or stored.

    Attributes:
        name: as configured and recorded (`anthropic`, `openai`, `groq`, `fixtures`).
        kind: the wire format: `anthropic`, `openai`, `openai_compatible`, `gemini`, `bedrock`, `fixtures`
            or a plug-in's own.
        base_url: None for the SDK's default.
        api_key: None where none is needed.
        local: declared free of charge; its calls cost 0.
        extra_headers: sent with every attempt.
        api: OpenAI's route: `chat` or `responses`; None for the one that the model needs.
        stream: False asks for whole answers (for a gateway that cannot stream): no time to first token then.
        cost: whose bill counts where both are known, `ours` (the price book's) or `provider` (its own word).
    """

    name: str
    kind: str
    base_url: str | None = None
    api_key: str | None = None
    local: bool = False
    extra_headers: tuple[tuple[str, str], ...] = ()
    stream: bool = True
    cost: CostSource = "ours"
    api: str | None = None

    def __repr__(self) -> str:
        """Without the key."""
        url = None if self.base_url is None else shown(self.base_url)
        return f"ProviderSettings(name={self.name!r}, kind={self.kind!r}, base_url={url!r})"


class LLMAdapter(Protocol):
    """One provider and model, ready to be asked.

    Attributes:
        name: the provider's configured name, as recorded in `calls.provider`.
        model: the resolved model id (never `auto`).
        local: free of charge by declaration.
    """

    name: str
    model: str
    local: bool

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:
        """Make exactly one attempt (no retry), streaming, and assemble the answer.

        Args:
            prompt: what to ask.
            call_id: sent as `X-Client-Request-Id`.
            timeout_s: for the whole attempt, seconds.

        Raises:
            ProviderError: the attempt failed; `kind` says how. A partial stream's usage, where the provider
                told it before failing, is in the error's `usage`.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
