"""The room of a plug-in that reads its own wire and says what it found, field by field."""

from harness.providers.reading.answer import Heard, ReadAnswer
from harness.providers.reading.bill import price_context_of
from harness.providers.reading.values import as_word, whole_text
from harness.records import Usage


class HandReading:
    """See `Reading`; events and bodies are pieces of answer text here, and the plug-in judges the ending.

    Attributes:
        usage: what will be billed, once known.
        finish_reason: why the model stopped, in the provider's own word.
        served_model: the model that the provider says answered.
        tier: the service tier in the provider's word.
    """

    has_failed = False
    is_done = False

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.served_model: str | None = None
        self.tier: object = None
        self._parts: list[str] = []
        self._is_whole = False

    def take_event(self, event: object, *, name: str = "") -> Heard:  # noqa: ARG002 - as the protocol has it
        """Append a piece of the answer; what is no text is nothing."""
        if not isinstance(event, str) or not event:
            return Heard.NOTHING
        self._parts.append(event)
        return Heard.ANSWER

    def take_done(self) -> None:
        """A stream without a reason for its end is cut."""

    def take_whole(self, body: object) -> None:
        """Take an answer that came in one piece: it is complete."""
        self._is_whole = True
        self.take_event(body)

    def answer(self) -> ReadAnswer:
        """What was told so far."""
        return ReadAnswer(
            text=whole_text(self._parts),
            usage=self.usage,
            finish_reason=self.finish_reason,
            is_complete=self._is_whole or self.finish_reason is not None,
            served_model=as_word(self.served_model),
            price_context=price_context_of(self.tier) or "standard",
        )
