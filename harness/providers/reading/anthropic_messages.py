"""Anthropic messages, whole or event by event, of Anthropic and of whoever speaks like it."""

from typing import Any

from harness.providers.reading.answer import Heard, ReadAnswer
from harness.providers.reading.bill import own_cost_usd, price_context_of, terms_of
from harness.providers.reading.counts import messages_usage
from harness.providers.reading.endings import failure_told, is_told
from harness.providers.reading.excerpts import first_of
from harness.providers.reading.failures import wait_ms_told
from harness.providers.reading.pieces import AnswerText
from harness.providers.reading.values import EMPTY, JsonObject, as_list, as_object, as_word, merged
from harness.records import dump_json

_ANSWERING = ("text", "tool_use")
_THINKING = ("thinking", "redacted_thinking")
_TOKENS = ("text", "partial_json", "thinking")
_FIRST_COUNT = "output_tokens"
"""At the start it counts a first token, not the bill."""


class MessagesReading:
    """One answer; see `Reading`."""

    def __init__(self) -> None:
        self._text = AnswerText()
        self._usage: dict[str, Any] = {}
        self._beside: JsonObject = EMPTY
        self._is_bill = False
        """The usage was told with or after the end, or beside an error."""
        self._is_latest = False
        """It was told after the start: with the stream's own end mark that makes it the bill as well."""
        self._heard_token = False
        self._error: object = None
        self._model: str | None = None
        self._id: str | None = None
        self._reason: str | None = None
        self._is_whole = False
        self._is_done = False
        self._block: JsonObject = EMPTY
        """The content block under way: its type says whether its pieces are answer text."""
        self._block_spoke = False

    @property
    def has_failed(self) -> bool:
        """An error came inside the answer."""
        return self._error is not None

    @property
    def is_done(self) -> bool:
        """The stream said by itself that it ended."""
        return self._is_done

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one event in."""
        if not isinstance(event, dict):
            return Heard.NOTHING
        match event.get("type") or name:
            case "content_block_delta":
                return self._take_delta(as_object(event.get("delta")))
            case "content_block_start":
                return self._begin_block(as_object(event.get("content_block")))
            case "content_block_stop":
                return self._end_block()
            case "message_start":
                message = as_object(event.get("message"))
                self._take_about(message)
                told = as_object(message.get("usage"))
                self._usage = merged(self._usage, {k: v for k, v in told.items() if k != _FIRST_COUNT})
            case "message_delta":
                self._take_end(event, as_object(event.get("delta")))
            case "message_stop":
                self._is_done = True
        if name == "error" or event.get("type") == "error" or event.get("error"):
            self._error = event
            self._take_usage(event)
        return Heard.NOTHING

    def take_done(self) -> None:
        """Gateways end with `[DONE]` where Anthropic says `message_stop`."""
        self._is_done = True

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in."""
        told = as_object(first_of(body))
        self._take_about(told)
        blocks = as_list(told.get("content"))
        for block in map(as_object, blocks):
            self._begin_block(block)
            self._end_block()
        self._is_whole = bool(blocks) or as_word(told.get("stop_reason")) is not None
        if told.get("type") == "error" or told.get("error"):
            self._error = told
        self._take_end(told, told)

    def _take_about(self, message: JsonObject) -> None:
        self._model = as_word(message.get("model")) or self._model
        self._id = self._id or as_word(message.get("id"))

    def _begin_block(self, block: JsonObject) -> Heard:
        self._block, self._block_spoke = block, False
        if block.get("type") in _THINKING:
            self._heard_token = True
            return Heard.TOKEN if block.get("data") or block.get("thinking") else Heard.NOTHING
        return self._say(block.get("text")) if block.get("type") in _ANSWERING else Heard.NOTHING

    def _end_block(self) -> Heard:
        block, spoke = self._block, self._block_spoke
        self._block = EMPTY
        if block.get("type") == "tool_use" and not spoke and block.get("input"):
            return self._say(dump_json(block["input"]).decode())
        return Heard.NOTHING

    def _take_delta(self, delta: JsonObject) -> Heard:
        if self._block.get("type", "text") in _ANSWERING:
            heard = self._say(delta.get("text"))
            if heard is Heard.NOTHING:
                heard = self._say(delta.get("partial_json"))
            if heard is not Heard.NOTHING:
                return heard
        if any(isinstance(delta.get(name), str) and delta[name] for name in _TOKENS):
            self._heard_token = True
            return Heard.TOKEN
        return Heard.NOTHING

    def _say(self, piece: object) -> Heard:
        if not isinstance(piece, str) or not piece:
            return Heard.NOTHING
        self._heard_token = self._block_spoke = True
        return Heard.ANSWER if self._text.add(piece) else Heard.TOKEN

    def _take_end(self, source: JsonObject, ended: JsonObject) -> None:
        reason = as_word(ended.get("stop_reason"))
        if reason is not None and is_told(reason):
            self._reason = reason
        self._take_usage(source)

    def _take_usage(self, source: JsonObject) -> None:
        usage = as_object(source.get("usage"))
        if usage:
            self._usage = merged(self._usage, usage)
            self._beside, self._is_latest = source, True
            self._is_bill = self._is_whole or self._reason is not None or self.has_failed

    def answer(self) -> ReadAnswer:
        """What was told so far."""
        text = self._text.text
        counted = messages_usage(self._usage, free_input=self.has_failed, free_output=not self._heard_token)
        is_bill = self._is_bill or (self._is_done and self._is_latest)
        failure, problem = failure_told(self._error, self._reason, is_whole=self._is_whole)
        tier = self._usage.get("service_tier")
        return ReadAnswer(
            text=text,
            usage=counted.usage if is_bill else None,
            remarks=counted.remarks if is_bill else (),
            finish_reason=self._reason,
            is_complete=self._is_whole
            or self._reason is not None
            or (self._is_done and is_bill and bool(text)),
            failure=failure,
            problem=problem,
            retry_after_ms=wait_ms_told(self._error),
            served_model=self._model,
            provider_cost_usd=own_cost_usd(self._usage, self._beside),
            price_context=price_context_of(tier) or "standard",
            terms=terms_of(self._usage, tier=tier),
            answer_id=self._id,
        )
