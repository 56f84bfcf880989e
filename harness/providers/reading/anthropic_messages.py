"""Anthropic messages, whole or event by event, of Anthropic and of whoever speaks like it."""

from harness.providers.reading.answer import Heard
from harness.providers.reading.counts import Counted, messages_usage
from harness.providers.reading.excerpts import first_of
from harness.providers.reading.room import Room
from harness.providers.reading.values import EMPTY, JsonObject, as_list, as_object, merged
from harness.records import dump_json

_ANSWERING = ("text", "tool_use")
_THINKING = ("thinking", "redacted_thinking")
_TOKENS = ("text", "partial_json", "thinking")
_FIRST_COUNT = "output_tokens"
"""At the start it counts a first token, not the bill."""


class MessagesReading(Room):
    """One answer; see `Reading`."""

    def __init__(self) -> None:
        super().__init__()
        self._block: JsonObject = EMPTY
        """The content block under way: its type says whether its pieces are answer text."""
        self._block_spoke = False

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
                self._begin(as_object(event.get("message")))
            case "message_delta":
                self._take_end(event, as_object(event.get("delta")))
            case "message_stop":
                self._is_done = True
        if name == "error" or event.get("type") == "error" or event.get("error"):
            self._error = event
            self._told_usage(as_object(event.get("usage")), event)
        return Heard.NOTHING

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in."""
        told = as_object(first_of(body))
        self._told_about(told)
        blocks = as_list(told.get("content"))
        for block in map(as_object, blocks):
            self._begin_block(block)
            self._end_block()
        self._is_whole = bool(blocks) or bool(told.get("stop_reason"))
        if told.get("type") == "error" or told.get("error"):
            self._error = told
        self._take_end(told, told)

    def _begin(self, message: JsonObject) -> None:
        self._told_about(message)
        told = as_object(message.get("usage"))
        self._usage = merged(self._usage, {k: v for k, v in told.items() if k != _FIRST_COUNT})
        self._tier = self._usage.get("service_tier")

    def _begin_block(self, block: JsonObject) -> Heard:
        self._block, self._block_spoke = block, False
        if block.get("type") in _THINKING:
            return self._other_token() if block.get("thinking") or block.get("data") else Heard.NOTHING
        return self._spoke(block.get("text")) if block.get("type") in _ANSWERING else Heard.NOTHING

    def _end_block(self) -> Heard:
        """A tool's input may come whole with the block instead of in pieces."""
        block, self._block = self._block, EMPTY
        if block.get("type") == "tool_use" and not self._block_spoke and block.get("input"):
            return self._said(dump_json(block["input"]).decode())
        return Heard.NOTHING

    def _take_delta(self, delta: JsonObject) -> Heard:
        if self._block.get("type", "text") in _ANSWERING:
            heard = self._spoke(delta.get("text"))
            heard = self._spoke(delta.get("partial_json")) if heard is Heard.NOTHING else heard
            if heard is not Heard.NOTHING:
                return heard
        if any(isinstance(delta.get(name), str) and delta[name] for name in _TOKENS):
            return self._other_token()
        return Heard.NOTHING

    def _spoke(self, piece: object) -> Heard:
        heard = self._said(piece)
        self._block_spoke = self._block_spoke or heard is not Heard.NOTHING
        return heard

    def _take_end(self, source: JsonObject, ended: JsonObject) -> None:
        if ended.get("stop_reason") is not None:
            self._told_reason(ended["stop_reason"])
        self._told_usage(as_object(source.get("usage")), source)
        self._tier = self._usage.get("service_tier")

    def _counted(self, *, free_input: bool, free_output: bool) -> Counted:
        return messages_usage(self._usage, free_input=free_input, free_output=free_output)
