"""What a chat-completions answer tells, chunk by chunk: text, why it ended, and the bill."""

from typing import Any

from harness.providers.attempt import Attempt
from harness.providers.sdk import listed
from harness.records import ErrorKind, Usage


class Reading:
    """One answer as its chunks tell it."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._refused = False

    def take_event(self, event: Any) -> None:
        """Take one chunk of a stream in."""
        self._attempt.answered_by(getattr(event, "model", None))
        self._attempt.served_on(getattr(event, "service_tier", None))
        for choice in listed(event, "choices"):
            delta = getattr(choice, "delta", None)
            self._attempt.add_text(getattr(delta, "content", None))
            self._take_end(choice, delta)
        self._take_usage(event)

    def take_whole(self, answer: Any) -> None:
        """Take an answer in one piece in.

        Raises:
            ProviderError: it is an error in the guise of a success, as some gateways send them.
        """
        if getattr(answer, "error", None):
            raise self._attempt.broken_off({"error": answer.error})
        self._attempt.answered_by(getattr(answer, "model", None))
        self._attempt.served_on(getattr(answer, "service_tier", None))
        for choice in listed(answer, "choices"):
            message = getattr(choice, "message", None)
            self._attempt.add_whole(getattr(message, "content", None))
            self._take_end(choice, message)
        self._take_usage(answer)

    def check(self) -> None:
        """Raise what the finish reason says of an answer that is none.

        Raises:
            ProviderError: truncated, filtered or refused.
        """
        if self._attempt.stop_reason == "length":
            raise self._attempt.failure(ErrorKind.TRUNCATED, "cut off at the output limit (length)")
        if self._attempt.stop_reason == "content_filter":
            raise self._attempt.failure(ErrorKind.CONTENT_FILTER, "stopped by the content filter")
        if self._refused:
            raise self._attempt.failure(ErrorKind.CONTENT_FILTER, "the model refused to answer")

    def _take_end(self, choice: Any, spoken: Any) -> None:
        if getattr(spoken, "refusal", None):
            self._refused = True
        self._attempt.ended(getattr(choice, "finish_reason", None))

    def _take_usage(self, source: Any) -> None:
        # Some endpoints send running totals with every chunk; only after the end is it the bill.
        told = getattr(source, "usage", None)
        if told is not None and self._attempt.is_complete:
            self._attempt.usage = usage_of(told)


def usage_of(told: Any) -> Usage | None:
    """OpenAI's counts, normalised: the prompt count is the total already, cached tokens included.

    Args:
        told: the SDK's `CompletionUsage`, possibly with fields missing.

    Returns:
        None when the totals are missing or the counts contradict themselves.
    """
    prompt_tokens = getattr(told, "prompt_tokens", None)
    output_tokens = getattr(told, "completion_tokens", None)
    if prompt_tokens is None or output_tokens is None:
        return None
    cached = getattr(told, "prompt_tokens_details", None)
    spent = getattr(told, "completion_tokens_details", None)
    try:
        return Usage(
            input_tokens=prompt_tokens,
            output_tokens=output_tokens,
            cache_read_tokens=getattr(cached, "cached_tokens", None) or 0,
            cache_write_5m_tokens=getattr(cached, "cache_write_tokens", None) or 0,
            reasoning_tokens=getattr(spent, "reasoning_tokens", None) or 0,
        )
    except (ValueError, TypeError):
        return None
