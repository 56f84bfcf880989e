"""Chat completions, of OpenAI and of whoever speaks like it, whole or chunk by chunk."""

from typing import Any

from harness.providers.reading.answer import Heard, ReadAnswer
from harness.providers.reading.bill import own_cost_usd, price_context_of, terms_of
from harness.providers.reading.counts import chat_usage
from harness.providers.reading.endings import failure_told, is_told, kind_of_ending
from harness.providers.reading.excerpts import first_of
from harness.providers.reading.failures import wait_ms_told
from harness.providers.reading.pieces import AnswerText, carries_token, text_of
from harness.providers.reading.values import EMPTY, JsonObject, as_list, as_object, as_word, merged
from harness.records import dump_json


class ChatReading:
    """One answer; see `Reading`."""

    def __init__(self) -> None:
        self._text = AnswerText()
        self._usage: dict[str, Any] = {}
        self._beside: JsonObject = EMPTY
        """The event that told the usage: gateways tell their bill beside it."""
        self._is_bill = False
        """The usage was told with or after the end, or beside an error; before, it is a running total."""
        self._is_latest = False
        """No token came after the usage: with the stream's own end mark that makes it the bill as well."""
        self._heard_token = False
        self._error: object = None
        self._model: str | None = None
        self._id: str | None = None
        self._tier: object = None
        self._reason: str | None = None
        self._refused = False
        self._is_whole = False
        self._is_done = False

    @property
    def has_failed(self) -> bool:
        """An error came inside the answer."""
        return self._error is not None

    @property
    def is_done(self) -> bool:
        """The stream said by itself that it ended."""
        return self._is_done

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one chunk in."""
        if not isinstance(event, dict):
            return Heard.NOTHING
        choices = as_list(event.get("choices"))
        return self._take(event, as_object(choices[0]) if choices else EMPTY, name)

    def take_done(self) -> None:
        """`[DONE]` came."""
        self._is_done = True

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in."""
        told = as_object(first_of(body))
        choices = as_list(told.get("choices"))
        self._is_whole = bool(choices)
        self._take(told, as_object(choices[0]) if choices else EMPTY, "")

    def _take(self, told: JsonObject, choice: JsonObject, name: str) -> Heard:
        self._model = as_word(told.get("model")) or self._model
        self._id = self._id or as_word(told.get("id"))
        self._tier = told.get("service_tier") or self._tier
        heard = self._take_choice(choice) if choice else Heard.NOTHING
        self._take_error(told, choice, name)
        self._take_usage(told, choice)
        return heard

    def _take_choice(self, choice: JsonObject) -> Heard:
        spoken = as_object(choice.get("delta"))
        if not spoken and (self._is_whole or not self._heard_token):  # beside deltas it repeats them
            spoken = as_object(choice.get("message"))
        heard = Heard.NOTHING
        if text := text_of(spoken.get("content")):
            heard = Heard.ANSWER if self._text.add(text) else Heard.TOKEN
        elif spoken and carries_token(spoken):
            heard = Heard.TOKEN
        if heard is not Heard.NOTHING:
            self._heard_token, self._is_latest = True, False
        self._refused = self._refused or bool(spoken.get("refusal"))
        if choice.get("finish_reason") is not None:
            self._take_reason(choice["finish_reason"])
        return heard

    def _take_reason(self, reason: object) -> None:
        word = as_word(reason) if isinstance(reason, str) else as_word(dump_json(reason).decode())
        if word is None or not is_told(word):
            return
        if self._reason is None or kind_of_ending(self._reason) is None:  # a later `stop` mends nothing
            self._reason = word

    def _take_error(self, told: JsonObject, choice: JsonObject, name: str) -> None:
        if told.get("error"):
            self._error = told
        elif choice.get("error"):
            self._error = {"error": choice["error"]}
        elif name == "error" or told.get("object") == "error" or told.get("type") == "error":
            self._error = told

    def _take_usage(self, told: JsonObject, choice: JsonObject) -> None:
        usage = as_object(told.get("usage")) or as_object(as_object(told.get("x_groq")).get("usage"))
        usage = usage or as_object(choice.get("usage"))  # Moonshot
        if usage:
            self._usage = merged(self._usage, usage)
            self._beside, self._is_latest = told, True
            self._is_bill = self._is_whole or self._reason is not None or self.has_failed

    def answer(self) -> ReadAnswer:
        """What was told so far."""
        text = self._text.text
        counted = chat_usage(
            self._usage, free_input=self.has_failed, free_output=self._refused or not self._heard_token
        )
        is_bill = self._is_bill or (self._is_done and self._is_latest)
        is_complete = self._is_whole or self._reason is not None or (self._is_done and is_bill and bool(text))
        failure, problem = failure_told(
            self._error, self._reason, is_whole=self._is_whole, refused=self._refused
        )
        return ReadAnswer(
            text=text,
            usage=counted.usage if is_bill else None,
            remarks=counted.remarks if is_bill else (),
            finish_reason=self._reason,
            is_complete=is_complete,
            failure=failure,
            problem=problem,
            retry_after_ms=wait_ms_told(self._error),
            served_model=self._model,
            provider_cost_usd=own_cost_usd(self._usage, self._beside),
            price_context=price_context_of(self._tier) or "standard",
            terms=terms_of(self._usage, tier=self._tier),
            answer_id=self._id,
        )
