"""What an Anthropic answer tells, event by event: text, why it ended, and the bill."""

from typing import Any

from harness.providers.attempt import Attempt
from harness.providers.sdk import listed
from harness.records import ErrorKind, Usage, dump_json


class UsageCount:
    """Anthropic's counts of one answer, normalised: the input comes at the start, the rest at the end."""

    def __init__(self) -> None:
        self._input: int | None = None
        self._cache_read = 0
        self._cache_write = 0
        self._cache_write_1h = 0

    def start(self, told: Any) -> None:
        """Take the input side. The output count at the start is a first token, not the bill."""
        self._take_input(told)
        split = getattr(told, "cache_creation", None)
        self._cache_write_1h = getattr(split, "ephemeral_1h_input_tokens", None) or 0

    def finish(self, told: Any) -> Usage | None:
        """The bill, from the final counts; None when a side is missing or they contradict themselves."""
        self._take_input(told)
        output = getattr(told, "output_tokens", None)
        details = getattr(told, "output_tokens_details", None)
        if output is None or self._input is None:
            return None
        try:
            written_1h = min(self._cache_write_1h, self._cache_write)
            return Usage(
                # Anthropic's input_tokens leaves the cached ones out; the total has them.
                input_tokens=self._input + self._cache_read + self._cache_write,
                output_tokens=output,
                cache_read_tokens=self._cache_read,
                cache_write_5m_tokens=self._cache_write - written_1h,
                cache_write_1h_tokens=written_1h,
                reasoning_tokens=getattr(details, "thinking_tokens", None) or 0,
            )
        except (ValueError, TypeError):
            return None

    def _take_input(self, told: Any) -> None:
        """Later counts are cumulative and replace earlier ones; absent ones leave them."""
        for field, name in (
            ("_input", "input_tokens"),
            ("_cache_read", "cache_read_input_tokens"),
            ("_cache_write", "cache_creation_input_tokens"),
        ):
            value = getattr(told, name, None)
            if value is not None:
                setattr(self, field, value)


class Reading:
    """One answer as its events tell it."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._usage = UsageCount()

    def take_event(self, event: Any) -> None:
        """Take one event of a stream in."""
        kind = getattr(event, "type", None)
        if kind == "content_block_delta":
            delta = getattr(event, "delta", None)
            self._attempt.add_text(getattr(delta, "text", None))
            self._attempt.add_text(getattr(delta, "partial_json", None))
        elif kind == "message_start":
            message = getattr(event, "message", None)
            self._attempt.answered_by(getattr(message, "model", None))
            self._start(getattr(message, "usage", None))
        elif kind == "message_delta":
            self._end(event, getattr(event, "delta", None))

    def take_whole(self, message: Any) -> None:
        """Take an answer in one piece in.

        Raises:
            ProviderError: it is an error in the guise of a success.
        """
        if getattr(message, "type", None) == "error":
            raise self._attempt.broken_off({"error": getattr(message, "error", None)})
        self._attempt.answered_by(getattr(message, "model", None))
        for block in listed(message, "content"):
            self._attempt.add_whole(getattr(block, "text", None))
            if getattr(block, "type", None) == "tool_use":
                self._attempt.add_whole(dump_json(getattr(block, "input", None)).decode())
        self._start(getattr(message, "usage", None))
        self._end(message, message)

    def check(self) -> None:
        """Raise what the stop reason says of an answer that is none.

        Raises:
            ProviderError: truncated or refused.
        """
        reason = self._attempt.stop_reason
        if reason in ("max_tokens", "model_context_window_exceeded"):
            raise self._attempt.failure(ErrorKind.TRUNCATED, f"cut off at the limit ({reason})")
        if reason == "refusal":
            raise self._attempt.failure(ErrorKind.CONTENT_FILTER, "the model refused to answer")

    def _start(self, told: Any) -> None:
        self._attempt.served_on(getattr(told, "service_tier", None))
        self._usage.start(told)

    def _end(self, source: Any, ended: Any) -> None:
        self._attempt.ended(getattr(ended, "stop_reason", None))
        self._attempt.usage = self._usage.finish(getattr(source, "usage", None))
