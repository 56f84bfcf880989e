"""OpenAI's responses, whole or event by event: completed, incomplete, failed or refused.

Source: https://developers.openai.com/api/reference/resources/responses, streaming events.
"""

from dataclasses import replace
from typing import Any

from harness.providers.reading.answer import Heard
from harness.providers.reading.counts import Counted, chat_usage
from harness.providers.reading.room import Room
from harness.providers.reading.values import EMPTY, JsonObject, as_list, as_object, as_word
from harness.records import ServedTerms

_ENDED = ("completed", "incomplete", "failed", "cancelled")
_TOOL_CALLS = ("file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call")


class ResponsesReading(Room):
    """One answer; see `Reading`. A response that still runs (`queued`, `in_progress`) is none yet."""

    def __init__(self) -> None:
        super().__init__()
        self._response: JsonObject = EMPTY
        """As it ended."""

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one event in."""
        if not isinstance(event, dict):
            return Heard.NOTHING
        kind = as_word(event.get("type")) or name
        if kind == "response.output_text.delta":
            return self._said(event.get("delta"))
        if kind.startswith("response.refusal."):
            self._is_refused = True
            return Heard.TOKEN
        if kind.endswith(".delta") and event.get("delta"):
            return self._other_token()
        if kind == "error" or event.get("error"):
            self._error = event
        self._take_response(as_object(event.get("response")))
        self._is_done = self._response is not EMPTY
        return Heard.NOTHING

    def take_whole(self, body: object) -> None:
        """Take a response in one piece in."""
        told = as_object(body)
        if told.get("object") == "error" or told.get("type") == "error":
            self._error = told
        self._take_response(told)
        self._is_whole = self._response is not EMPTY

    def _take_response(self, told: JsonObject) -> None:
        self._told_about(told)
        self._tier = told.get("service_tier") or self._tier
        if told.get("error"):
            self._error = told
        status = told.get("status")
        if status in _ENDED:
            self._response = told
            code = as_object(told.get("error")).get("code")
            self._told_reason(as_object(told.get("incomplete_details")).get("reason") or code or status)
            self._take_output(as_list(told.get("output")))
        self._told_usage(as_object(told.get("usage")), told)

    def _take_output(self, items: list[Any]) -> None:
        """What the ended response holds: its refusal, and its text where no event told it."""
        unheard = not self._text.text
        for item in map(as_object, items):
            for part in map(as_object, as_list(item.get("content")) if item.get("type") == "message" else []):
                self._is_refused |= part.get("type") == "refusal"
                if unheard and part.get("type") == "output_text":
                    self._said(part.get("text"))

    def _counted(self, *, free_input: bool, free_output: bool) -> Counted:
        return chat_usage(self._usage, free_input=free_input, free_output=free_output)

    def _terms(self) -> ServedTerms:
        """Server-side tools stand as items of the output."""
        terms = super()._terms()
        kinds = [as_object(item).get("type") for item in as_list(self._response.get("output"))]
        return replace(
            terms,
            searches=terms.searches or kinds.count("web_search_call") or None,
            tool_calls=terms.tool_calls or sum(kind in _TOOL_CALLS for kind in kinds) or None,
        )
