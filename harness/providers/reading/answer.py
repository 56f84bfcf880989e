"""What one answer told, whichever wire it came over."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Protocol

from harness.records import NO_TERMS, ErrorKind, ServedTerms, Usage


class Heard(Enum):
    """What one event of a stream carried."""

    NOTHING = "nothing"
    TOKEN = "token"  # noqa: S105 - of a model
    """A token that is no answer text: thinking, audio, a call of a function."""
    ANSWER = "answer"
    """A piece of the answer's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAnswer:
    """What was told, up to the end or up to where it broke off. None is untold.

    Attributes:
        text: the answer, thinking left out.
        usage: what is billed; None when untold, illegible or impossible (zero tokens for a text).
        remarks: what was mended or left out to get at the usage, a clause each.
        finish_reason: why the model stopped, in the provider's own word.
        is_complete: the model had stopped; a stream that ends before that was cut.
        failure: what makes it no answer (truncated, filtered, refused, an error inside); None for an answer.
        problem: a clause about the failure; may quote the provider, so it is bounded and redacted by whoever
            shows it.
        retry_after_ms: the wait that an error inside the answer asked for, milliseconds.
        served_model: the model that the provider says answered.
        provider_cost_usd: the provider's own bill.
        price_context: the service tier as the price book names it.
        terms: what else the bill rests on.
        answer_id: the answer's own id in its body.
    """

    text: str = ""
    usage: Usage | None = None
    remarks: tuple[str, ...] = ()
    finish_reason: str | None = None
    is_complete: bool = False
    failure: ErrorKind | None = None
    problem: str = ""
    retry_after_ms: float | None = None
    served_model: str | None = None
    provider_cost_usd: Decimal | None = None
    price_context: str = "standard"
    terms: ServedTerms = NO_TERMS
    answer_id: str | None = None


class Reading(Protocol):
    """A room: takes one answer in, as a stream or whole, and says what it told.

    Fields of any shape are taken; what is not what it should be is simply not told.
    """

    @property
    def has_failed(self) -> bool:
        """An error came inside the answer: nothing after it counts."""
        ...

    @property
    def is_done(self) -> bool:
        """The stream said by itself that it ended."""
        ...

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one event of a stream in.

        Args:
            event: the decoded data.
            name: the event's name, where the wire names them.
        """
        ...

    def take_done(self) -> None:
        """The stream said by itself that it ends (`[DONE]`)."""
        ...

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in, decoded."""
        ...

    def answer(self) -> ReadAnswer:
        """What was told so far."""
        ...
