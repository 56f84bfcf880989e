"""One attempt as it unfolds: when what arrived, and the success or failure made of what was read."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from harness.clock import Clock
from harness.errors import ProviderError
from harness.providers.reading import Heard, ReadAnswer, Reading
from harness.providers.reading.by_hand import HandReading
from harness.providers.reading.excerpts import excerpt, message_of
from harness.providers.reading.failures import kind_of, wait_ms_told
from harness.providers.reading.headers import (
    own_cost_usd_of,
    plain_headers,
    rate_limits_of,
    request_id_of,
    retry_after_ms_of,
)
from harness.providers.reading.values import as_word
from harness.records import NO_USAGE, Completion, ErrorKind, Usage


class Attempt:
    """What one attempt has learnt; the adapters fill it while they read.

    Args:
        provider: as configured. model: as asked.
        clock: times tokens.
        reading: the room that takes the answer in; None for a plug-in that fills `add_text` or `add_whole`,
            `stop_reason` and `usage` by itself.
        secrets: values masked in every message.
        asked: the texts of the request, of which no error may show anything.
    """

    def __init__(
        self,
        *,
        provider: str,
        model: str,
        clock: Clock,
        reading: Reading | None = None,
        secrets: tuple[str, ...] = (),
        asked: Sequence[str] = (),
    ) -> None:
        self.provider = provider
        self.model = model
        self._by_hand = HandReading()
        self.reading: Reading = self._by_hand if reading is None else reading
        self._clock = clock
        self._secrets = secrets
        self._asked = asked
        self._started_ns = clock.monotonic_ns()
        self._ttft_ns: int | None = None
        self._answer_ns: int | None = None
        self._headers: Mapping[str, str] = {}
        self._is_answered = False
        self._read: ReadAnswer | None = None

    def saw_response(self, headers: Mapping[str, str]) -> None:
        """Keep the headers of the answer, good or bad."""
        self._headers = plain_headers(headers)
        self._is_answered = True

    @property
    def is_over(self) -> bool:
        """Nothing more is wanted of the body."""
        return self.reading.is_done or self.reading.has_failed

    def take_done(self) -> None:
        """The stream's own end mark came."""
        self.reading.take_done()

    def take_whole(self, body: object) -> None:
        """Take a decoded answer in one piece in: it has no time to first token."""
        self.reading.take_whole(body)

    def take_event(self, event: object, *, name: str = "") -> None:
        """Take one event of a stream in, and note when tokens first came."""
        heard = self.reading.take_event(event, name=name)
        if self._answer_ns is None and heard is not Heard.NOTHING:
            elapsed_ns = self._clock.monotonic_ns() - self._started_ns
            if self._ttft_ns is None:
                self._ttft_ns = elapsed_ns
            if heard is Heard.ANSWER:
                self._answer_ns = elapsed_ns

    def add_text(self, text: object) -> None:
        """Append a piece of the answer by hand; the first one sets the time to first token."""
        self.take_event(text)

    def add_whole(self, text: object) -> None:
        """Take a text that came in one piece, by hand."""
        self.take_whole(text)

    @property
    def usage(self) -> Usage | None:
        """What will be billed, once it was told; a plug-in sets it."""
        return self.reading.answer().usage

    @usage.setter
    def usage(self, usage: Usage | None) -> None:
        self._by_hand.usage = usage

    @property
    def stop_reason(self) -> str | None:
        """Why the model stopped, in the provider's own word; a plug-in sets it."""
        return self.reading.answer().finish_reason

    @stop_reason.setter
    def stop_reason(self, reason: str | None) -> None:
        self._by_hand.finish_reason = reason

    def answered_by(self, model: object) -> None:
        """Keep the model that the provider says answered, by hand."""
        self._by_hand.served_model = as_word(model)

    def served_on(self, tier: object) -> None:
        """Keep the service tier, by hand: a project's default may not be standard."""
        self._by_hand.tier = tier

    @property
    def read(self) -> ReadAnswer:
        """What was told; final once asked for."""
        if self._read is None:
            self._read = self.reading.answer()
        return self._read

    @property
    def emulated(self) -> bool | None:
        """Whether the emulator answered; None when nobody did."""
        return self._headers.get("x-harness-emulated") == "1" if self._is_answered else None

    @property
    def provider_request_id(self) -> str | None:
        """The provider's own id, if an answer arrived and had one."""
        return request_id_of(self._headers) or self.read.answer_id

    def completion(self) -> Completion:
        """The answer.

        Raises:
            ProviderError: cut off before the model stopped, truncated, filtered, refused, or no answer.
        """
        read = self.read
        if read.failure is not None:
            raise self.failure(read.failure, read.problem)
        if not read.is_complete:
            raise self._unfinished()
        if not read.text.strip():
            raise self.failure(
                ErrorKind.BAD_OUTPUT, f"the answer is empty (stop reason {read.finish_reason})"
            )
        return Completion(
            text=read.text,
            usage=read.usage,
            model=read.served_model or self.model,
            stop_reason=read.finish_reason,
            ttft_ns=self._ttft_ns,
            first_answer_ns=self._answer_ns,
            provider_request_id=self.provider_request_id,
            emulated=bool(self.emulated),
            rate_limits=rate_limits_of(self._headers),
            price_context=read.price_context,
            served_model=read.served_model,
            provider_cost_usd=self._own_cost_usd(),
            usage_remarks=read.remarks,
            terms=read.terms,
        )

    def _own_cost_usd(self) -> Decimal | None:
        told = self.read.provider_cost_usd
        return own_cost_usd_of(self._headers) if told is None else told

    def _unfinished(self) -> ProviderError:
        content_type = self._headers.get("content-type", "")
        if self.read.text or "event-stream" in content_type:
            return self.failure(ErrorKind.CONNECTION, "the answer ended before the model did")
        return self.failure(ErrorKind.BAD_OUTPUT, f"no answer in its {content_type or 'unnamed'} body")

    def failure(
        self,
        kind: ErrorKind,
        problem: str,
        *,
        status: int | None = None,
        usage: Usage | None = None,
        retry_after_ms: float | None = None,
    ) -> ProviderError:
        """The error of this attempt, with all it has learnt.

        Args:
            kind: what it is.
            problem: a clause about it; may quote the provider, for it is bounded and redacted here.
            status: the HTTP status of a refusal.
            usage: what is known to be billed where the answer did not tell; None for unknown.
            retry_after_ms: the wait that a refusing answer asked for.
        """
        read = self.read
        return ProviderError(
            kind,
            f"{self.provider}: {excerpt(problem, self._secrets, asked=self._asked)}",
            http_status=status,
            retry_after_ms=read.retry_after_ms if retry_after_ms is None else retry_after_ms,
            provider_request_id=self.provider_request_id,
            emulated=self.emulated,
            usage=usage if read.usage is None else read.usage,
            stop_reason=read.finish_reason,
            ttft_ns=self._ttft_ns,
            first_answer_ns=self._answer_ns,
            price_context=read.price_context,
            served_model=read.served_model,
            provider_cost_usd=self._own_cost_usd(),
            usage_remarks=read.remarks,
            terms=read.terms,
        )

    def refusal(self, status: int, body: object) -> ProviderError:
        """The error of an HTTP status that says no: nothing was billed, unless a deadline passed upstream."""
        kind = kind_of(status, body)
        said = message_of(body)
        problem = f"HTTP {status}, {said}" if said else f"HTTP {status}"
        unbilled = None if kind is ErrorKind.TIMEOUT else NO_USAGE
        wait_ms = retry_after_ms_of(self._headers, self._clock)
        wait_ms = wait_ms_told(body) if wait_ms is None else wait_ms
        return self.failure(kind, problem, status=status, usage=unbilled, retry_after_ms=wait_ms)

    def timed_out(self, timeout_s: float) -> ProviderError:
        """The error of an attempt that took too long: it may yet be billed."""
        return self.failure(ErrorKind.TIMEOUT, f"no complete answer within {timeout_s:g} s")
