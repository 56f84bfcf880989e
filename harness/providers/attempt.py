"""One attempt as it unfolds: what the stream has told so far, and the success or failure made of it."""

from collections.abc import Mapping

from harness.clock import Clock
from harness.errors import ProviderError
from harness.providers.failures import excerpt, kind_of, message_of, rate_limits_of, retry_after_ms_of
from harness.records import NO_USAGE, Completion, ErrorKind, Usage

_REQUEST_ID_HEADERS = ("request-id", "x-request-id")
_OWN_PRICES = frozenset({"priority", "flex", "batch", "scale"})
"""Service tiers that are billed otherwise than standard; the other words for a tier mean standard."""


def price_context_of(tier: object) -> str | None:
    """The price book's name of a service tier that is billed otherwise than standard; None for any other."""
    return tier if isinstance(tier, str) and tier in _OWN_PRICES else None


class Attempt:
    """What one attempt has learnt; the adapters fill it while they read.

    Attributes:
        usage: what will be billed, once the provider has told all of it; None until then.
        stop_reason: why the model stopped, in the provider's own word.
        price_context: the service tier that the provider says it served, as the price book names it.
    """

    def __init__(self, *, provider: str, model: str, clock: Clock, secrets: tuple[str, ...]) -> None:
        self.provider = provider
        self.model = model
        self.usage: Usage | None = None
        self.stop_reason: str | None = None
        self.price_context = "standard"
        self._clock = clock
        self._secrets = secrets
        self._parts: list[str] = []
        self._started_ns = clock.monotonic_ns()
        self._ttft_ns: int | None = None
        self._headers: Mapping[str, str] = {}
        self._answered = False
        self._is_whole = False

    def saw_response(self, headers: Mapping[str, str]) -> None:
        """Keep the headers of the answer, good or bad."""
        self._headers = headers
        self._answered = True

    def answered_by(self, model: object) -> None:
        """Keep the model that the provider says answered, where it does."""
        if isinstance(model, str) and model:
            self.model = model

    def served_on(self, tier: object) -> None:
        """Keep the service tier, where the provider tells one: a project's default may not be standard."""
        self.price_context = price_context_of(tier) or self.price_context

    def ended(self, reason: object) -> None:
        """Keep why the model stopped; what is no word leaves it as it was."""
        if isinstance(reason, str) and reason:
            self.stop_reason = reason

    def add_text(self, text: object) -> None:
        """Append a piece of the answer; the first one sets the time to first token. Not text: nothing."""
        if not isinstance(text, str) or not text:
            return
        if self._ttft_ns is None:
            self._ttft_ns = self._clock.monotonic_ns() - self._started_ns
        self._parts.append(text)

    def add_whole(self, text: object) -> None:
        """Take an answer that came in one piece: it is complete, and has no time to first token."""
        self._is_whole = True
        if isinstance(text, str):
            self._parts.append(text)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self._parts)

    @property
    def is_complete(self) -> bool:
        """Whether the model had stopped; a stream that ends before that was cut."""
        return self._is_whole or self.stop_reason is not None

    @property
    def emulated(self) -> bool | None:
        """Whether the emulator answered; None when nobody did."""
        return self._headers.get("x-harness-emulated") == "1" if self._answered else None

    @property
    def provider_request_id(self) -> str | None:
        """The provider's own id, if an answer arrived and had one."""
        return next((self._headers[name] for name in _REQUEST_ID_HEADERS if name in self._headers), None)

    def completion(self) -> Completion:
        """The answer.

        Raises:
            ProviderError: cut off before the model stopped, or nothing was answered.
        """
        if not self.is_complete:
            raise self._unfinished()
        if not self.text.strip():
            raise self.failure(ErrorKind.BAD_OUTPUT, f"the answer is empty (stop reason {self.stop_reason})")
        return Completion(
            text=self.text,
            usage=self.usage,
            model=self.model,
            stop_reason=self.stop_reason,
            ttft_ns=self._ttft_ns,
            provider_request_id=self.provider_request_id,
            emulated=bool(self.emulated),
            rate_limits=rate_limits_of(self._headers),
            price_context=self.price_context,
        )

    def _unfinished(self) -> ProviderError:
        content_type = self._headers.get("content-type", "")
        if self._parts or "event-stream" in content_type:
            return self.failure(ErrorKind.CONNECTION, "the answer ended before the model did")
        return self.failure(ErrorKind.BAD_OUTPUT, f"no answer in its {content_type or 'unnamed'} body")

    def failure(
        self, kind: ErrorKind, problem: str, *, status: int | None = None, usage: Usage | None = None
    ) -> ProviderError:
        """The error of this attempt, with all it has learnt.

        Args:
            kind: what it is.
            problem: a clause about it; may quote the provider, for it is bounded and redacted here.
            status: the HTTP status of a refusal.
            usage: what is known to be billed where the stream did not tell; None for unknown.
        """
        return ProviderError(
            kind,
            f"{self.provider}: {excerpt(problem, self._secrets)}",
            http_status=status,
            retry_after_ms=retry_after_ms_of(self._headers, self._clock),
            provider_request_id=self.provider_request_id,
            emulated=self.emulated,
            usage=self.usage if self.usage is not None else usage,
            stop_reason=self.stop_reason,
            ttft_ns=self._ttft_ns,
            price_context=self.price_context,
        )

    def refusal(self, status: int, body: object) -> ProviderError:
        """The error of an HTTP status that says no: nothing was billed, unless a deadline passed upstream."""
        kind = kind_of(status, body)
        said = message_of(body)
        problem = f"HTTP {status}, {said}" if said else f"HTTP {status}"
        unbilled = None if kind is ErrorKind.TIMEOUT else NO_USAGE
        return self.failure(kind, problem, status=status, usage=unbilled)

    def broken_off(self, body: object) -> ProviderError:
        """The error of an error event inside a stream that began well: the bill is unknown."""
        said = message_of(body)
        return self.failure(
            kind_of(None, body), f"error in mid-stream, {said}" if said else "error in mid-stream"
        )

    def timed_out(self, timeout_s: float) -> ProviderError:
        """The error of an attempt that took too long: it may yet be billed."""
        return self.failure(ErrorKind.TIMEOUT, f"no complete answer within {timeout_s:g} s")
