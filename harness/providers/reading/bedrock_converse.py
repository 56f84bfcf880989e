"""Bedrock's `Converse` answers, whole or event by event; an event's name says what it is.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from dataclasses import replace

from harness.providers.reading.answer import Heard
from harness.providers.reading.counts import Counted, converse_usage
from harness.providers.reading.pieces import AnswerText
from harness.providers.reading.room import Room
from harness.providers.reading.values import JsonObject, as_list, as_object, as_word
from harness.records import ServedTerms, dump_json


class ConverseReading(Room):
    """One answer; see `Reading`. A forced tool's input is the answer, whatever is said around it."""

    def __init__(self) -> None:
        super().__init__()
        self._latency: object = None
        self._calls_tool = False

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one event in; `name` is its `:event-type` or `:exception-type`."""
        told = as_object(event)
        if name.endswith("Exception"):
            self._error = {**told, "code": name}
        elif name == "contentBlockDelta":
            return self._take_delta(as_object(told.get("delta")))
        elif name == "messageStop":
            self._take_reason(told)
        elif name == "metadata":
            self._take_metadata(told)
        return Heard.NOTHING

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in."""
        told = as_object(body)
        message = as_object(as_object(told.get("output")).get("message"))
        for block in map(as_object, as_list(message.get("content"))):
            given = as_object(block.get("toolUse")).get("input")
            spoken = None if given is None else {"input": dump_json(given).decode()}
            self._take_delta({**block, "toolUse": spoken})
        self._is_whole = bool(message) or bool(told.get("stopReason"))
        self._take_reason(told)
        self._take_metadata(told)

    def _take_delta(self, delta: JsonObject) -> Heard:
        tool_input = as_object(delta.get("toolUse")).get("input")
        if tool_input:
            if not self._calls_tool:
                self._calls_tool, self._text = True, AnswerText()
            return self._said(tool_input)
        if delta.get("text") and not self._calls_tool:
            return self._said(delta["text"])
        return self._other_token() if delta.get("text") or delta.get("reasoningContent") else Heard.NOTHING

    def _take_reason(self, told: JsonObject) -> None:
        reason = told.get("stopReason")
        self._told_reason(reason)
        self._is_refused |= reason == "guardrail_intervened"  # what was said is the guardrail's, and unbilled

    def _take_metadata(self, told: JsonObject) -> None:
        self._tier = as_object(told.get("serviceTier")).get("type") or self._tier
        self._latency = as_object(told.get("performanceConfig")).get("latency") or self._latency
        router = as_object(as_object(told.get("trace")).get("promptRouter"))
        invoked = as_word(router.get("invokedModelId"))
        self._model = invoked.rpartition("/")[2] if invoked else self._model
        self._told_usage(as_object(told.get("usage")), told)

    def _counted(self, *, free_input: bool, free_output: bool) -> Counted:
        return converse_usage(self._usage, free_input=free_input, free_output=free_output)

    def _terms(self) -> ServedTerms:
        terms = super()._terms()
        return replace(terms, speed="optimized") if self._latency == "optimized" else terms
