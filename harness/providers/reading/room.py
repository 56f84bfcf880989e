"""What the rooms of all wires share: what was told so far, and the answer that it makes."""

from abc import ABC, abstractmethod
from typing import Any

from harness.providers.reading.answer import Heard, ReadAnswer
from harness.providers.reading.bill import own_cost_usd, price_context_of, terms_of
from harness.providers.reading.counts import Counted
from harness.providers.reading.endings import failure_told, is_told, kind_of_ending
from harness.providers.reading.failures import wait_ms_told
from harness.providers.reading.pieces import AnswerText
from harness.providers.reading.values import EMPTY, JsonObject, as_word, merged
from harness.records import ServedTerms, dump_json


class Room(ABC):
    """One answer of one wire; see `Reading`. Subclasses find in an event what is told here.

    The usage is the bill when it was told with or after the end, or beside an error; told earlier, it is a
    running total, which the stream's own end mark makes the bill if no token came after it.
    """

    def __init__(self) -> None:
        self._text = AnswerText()
        self._usage: dict[str, Any] = {}
        self._beside: JsonObject = EMPTY
        """The event that told the usage: gateways tell their bill beside it."""
        self._is_bill = False
        self._is_latest = False
        self._heard_token = False
        self._error: object = None
        self._model: str | None = None
        self._id: str | None = None
        self._tier: object = None
        self._reason: str | None = None
        self._is_refused = False
        self._is_whole = False
        self._is_done = False

    @property
    def has_failed(self) -> bool:
        """An error came inside the answer: nothing after it counts."""
        return self._error is not None

    @property
    def is_done(self) -> bool:
        """The stream said by itself that it ended."""
        return self._is_done

    def take_done(self) -> None:
        """The stream's own end mark came."""
        self._is_done = True

    @abstractmethod
    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one event of a stream in."""

    @abstractmethod
    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in, decoded."""

    @abstractmethod
    def _counted(self, *, free_input: bool, free_output: bool) -> Counted:
        """The told usage, normalised in the wire's way; see `counts.normalised`."""

    def _told_about(self, source: JsonObject) -> None:
        """Who answered, and under which id."""
        model = source.get("model")
        if model != self._model:  # the same in nearly every event
            self._model = as_word(model) or self._model
        if self._id is None:
            self._id = as_word(source.get("id"))

    def _said(self, piece: object) -> Heard:
        """A piece of the answer's text."""
        if not isinstance(piece, str) or not piece:
            return Heard.NOTHING
        self._heard_token, self._is_latest = True, False
        return Heard.ANSWER if self._text.add(piece) else Heard.TOKEN

    def _other_token(self) -> Heard:
        """A token that is no answer text."""
        self._heard_token, self._is_latest = True, False
        return Heard.TOKEN

    def _told_reason(self, reason: object) -> None:
        """Why the model stopped; a later `stop` mends no earlier failure."""
        word = as_word(reason if isinstance(reason, str) else dump_json(reason).decode())
        if word is None or not is_told(word):
            return
        if self._reason is None or kind_of_ending(self._reason) is None:
            self._reason = word

    def _told_usage(self, usage: JsonObject, beside: JsonObject) -> None:
        """Counts, later ones cumulative."""
        if usage:
            self._usage = merged(self._usage, usage)
            self._beside, self._is_latest = beside, True
            self._is_bill = self._is_whole or self._reason is not None or self.has_failed

    def _terms(self) -> ServedTerms:
        """What else the bill rests on."""
        return terms_of(self._usage, tier=self._tier)

    def answer(self) -> ReadAnswer:
        """What was told so far."""
        text = self._text.text
        is_bill = self._is_bill or (self._is_done and self._is_latest)
        counted = self._counted(
            free_input=self.has_failed, free_output=self._is_refused or not self._heard_token
        )
        failure, problem = failure_told(
            self._error, self._reason, is_whole=self._is_whole, refused=self._is_refused
        )
        has_ended = self._is_whole or self._reason is not None
        return ReadAnswer(
            text=text,
            usage=counted.usage if is_bill else None,
            remarks=counted.remarks if is_bill else (),
            finish_reason=self._reason,
            is_complete=has_ended or (self._is_done and is_bill and bool(text)),
            failure=failure,
            problem=problem,
            retry_after_ms=wait_ms_told(self._error),
            served_model=self._model,
            provider_cost_usd=own_cost_usd(self._usage, self._beside),
            price_context=price_context_of(self._tier) or "standard",
            terms=self._terms(),
            answer_id=self._id,
        )
