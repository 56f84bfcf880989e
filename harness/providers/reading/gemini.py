"""Gemini's own answers (`GenerateContentResponse`), whole or chunk by chunk.

Source: https://ai.google.dev/api/generate-content
"""

from dataclasses import replace

from harness.providers.reading.answer import Heard
from harness.providers.reading.counts import Counted, gemini_usage
from harness.providers.reading.excerpts import first_of
from harness.providers.reading.room import Room
from harness.providers.reading.values import (
    JsonObject,
    as_count_or_none,
    as_list,
    as_object,
    as_word,
)
from harness.records import ServedTerms

_NOT_TEXT = ("functionCall", "inlineData", "fileData", "executableCode", "codeExecutionResult")


class GeminiReading(Room):
    """One answer; see `Reading`. Every chunk has running counts; those with or after its end are the bill."""

    def __init__(self) -> None:
        super().__init__()
        self._searches = 0

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one chunk in."""
        told = as_object(first_of(event))
        if told.get("error") or name == "error":
            self._error = told or {"message": "an error event without a word"}
        self._model = as_word(told.get("modelVersion")) or self._model
        self._id = self._id or as_word(told.get("responseId"))
        heard = Heard.NOTHING
        candidates = as_list(told.get("candidates"))
        if candidates:
            heard = self._take_candidate(as_object(candidates[0]))
        blocked = as_word(as_object(told.get("promptFeedback")).get("blockReason"))
        if blocked is not None:
            self._told_reason(f"blocked: {blocked}")
        usage = as_object(told.get("usageMetadata"))
        self._tier = usage.get("serviceTier") or usage.get("trafficType") or self._tier
        self._told_usage(usage, told)
        return heard

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in."""
        told = as_object(first_of(body))
        self._is_whole = bool(told.get("candidates") or told.get("promptFeedback"))
        self.take_event(told)

    def _take_candidate(self, candidate: JsonObject) -> Heard:
        heard = Heard.NOTHING
        for part in map(as_object, as_list(as_object(candidate.get("content")).get("parts"))):
            if part.get("thought") is not True and self._said(part.get("text")) is Heard.ANSWER:
                heard = Heard.ANSWER
            elif heard is Heard.NOTHING and (part.get("text") or any(part.get(name) for name in _NOT_TEXT)):
                heard = self._other_token()
        self._told_reason(candidate.get("finishReason"))
        queries = as_list(as_object(candidate.get("groundingMetadata")).get("webSearchQueries"))
        self._searches = max(self._searches, len(queries))
        return heard

    def _counted(self, *, free_input: bool, free_output: bool) -> Counted:
        return gemini_usage(self._usage, free_input=free_input, free_output=free_output)

    def _terms(self) -> ServedTerms:
        asked = _by_modality(self._usage.get("promptTokensDetails"))
        said = _by_modality(self._usage.get("candidatesTokensDetails"))
        return replace(
            super()._terms(),
            searches=self._searches or None,
            audio_input_tokens=asked.get("AUDIO"),
            audio_output_tokens=said.get("AUDIO"),
            image_input_tokens=asked.get("IMAGE"),
            image_output_tokens=said.get("IMAGE"),
        )


def _by_modality(details: object) -> dict[str, int | None]:
    rows = map(as_object, as_list(details))
    return {str(row.get("modality")): as_count_or_none(row.get("tokenCount")) for row in rows}
