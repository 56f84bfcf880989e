"""The one normaliser of token counts: every provider's way of counting comes out as one `Usage`, or as none.

Totals are kept; a part that contradicts its total is clamped, and that is said. A number that is none, or a
zero beside a text that somebody was paid for, leaves the usage unknown: unknown is not free.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.providers.reading.values import (
    Illegible,
    JsonObject,
    as_count,
    as_count_or_none,
    as_list,
    as_object,
)
from harness.records import Usage

_INPUT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details")
_READ = ("cached_tokens", "num_cached_tokens", "cache_read_input_tokens", "cache_read_tokens")
_READ_ABOVE = (*_READ, "prompt_cache_hit_tokens")
_WRITTEN = (
    "cache_write_tokens",
    "cache_creation_tokens",
    "cached_creation_tokens",
    "cache_creation_input_tokens",
)
_REASONING = ("reasoning_tokens", "thinking_tokens", "thought_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A usage and what had to be said about it; None with a remark when the told counts give none."""

    usage: Usage | None = None
    remarks: tuple[str, ...] = ()


NOT_COUNTED = Counted()


def normalised(
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    read: int = 0,
    written_5m: int = 0,
    written_1h: int = 0,
    reasoning: int = 0,
    free_input: bool,
    free_output: bool,
    remarks: Iterable[str] = (),
) -> Counted:
    """The usage of legible counts.

    Args:
        input_tokens: the total, cached tokens included; None for untold, likewise the output.
        output_tokens: the total, reasoning included.
        read: part of the input that a cache served.
        written_5m: part of the input written to a cache for 5 minutes; `written_1h` for an hour.
        written_1h: see above.
        reasoning: part of the output.
        free_input: the input may really be nothing: an error came instead of an answer.
        free_output: the output may really be nothing: no token was heard.
        remarks: what was already mended.
    """
    said = list(remarks)
    if input_tokens is None or output_tokens is None:
        return Counted(remarks=tuple(said))
    if not (input_tokens or free_input) or not (output_tokens or free_output):
        return Counted(remarks=(*said, "zero tokens told for an answer: usage unknown"))
    kept_read = min(read, input_tokens)
    kept_1h = min(written_1h, input_tokens - kept_read)
    kept_5m = min(written_5m, input_tokens - kept_read - kept_1h)
    if (kept_read, kept_5m, kept_1h) != (read, written_5m, written_1h):
        said.append("cached tokens exceed the input: clamped")
    if reasoning > output_tokens:
        said.append("reasoning tokens exceed the output: clamped")
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=kept_read,
        cache_write_5m_tokens=kept_5m,
        cache_write_1h_tokens=kept_1h,
        reasoning_tokens=min(reasoning, output_tokens),
    )
    return Counted(usage=usage, remarks=tuple(said))


def chat_usage(told: JsonObject, *, free_input: bool, free_output: bool) -> Counted:
    """Counts in OpenAI's way: the prompt count is the total already, cached tokens included.

    Thinking counted beside the completion (x-ai, Gemini), or only in the total, is added to the output;
    cached tokens counted beside the prompt are added to the input. The total tells which.
    """
    if not told:
        return NOT_COUNTED
    inside, spent = _details(told, _INPUT_DETAILS), _details(told, _OUTPUT_DETAILS)
    try:
        prompt, completion = _first(told, _INPUT), _first(told, _OUTPUT)
        read = max(_most(told, _READ_ABOVE), _most(inside, _READ))
        written = max(_most(told, _WRITTEN), _most(inside, _WRITTEN))
        written_1h = _most(as_object(told.get("cache_creation")), ("ephemeral_1h_input_tokens",))
    except Illegible:
        return Counted(remarks=("a token count is no number of tokens: usage unknown",))
    reasoning = max(_legible(told, _REASONING), _legible(spent, _REASONING))
    total = as_count_or_none(told.get("total_tokens"))
    remarks = []
    if prompt is not None and completion is None and total is not None and total > prompt:
        completion = 0
    if prompt is not None and completion is not None and total is not None:
        beside = total - prompt - completion
        if beside > 0 and beside == read + written and beside != reasoning:
            prompt += beside
            remarks.append("cached tokens were counted beside the prompt: added")
        elif beside > 0:
            completion += beside
            reasoning = max(reasoning, beside)
            remarks.append("tokens counted only in the total: added to the output")
    written_1h = min(written_1h, written)
    return normalised(
        input_tokens=prompt,
        output_tokens=completion,
        read=read,
        written_5m=written - written_1h,
        written_1h=written_1h,
        reasoning=reasoning,
        free_input=free_input,
        free_output=free_output,
        remarks=remarks,
    )


def messages_usage(told: JsonObject, *, free_input: bool, free_output: bool) -> Counted:
    """Counts in Anthropic's way: `input_tokens` leaves the cached ones out; the total has them."""
    if not told:
        return NOT_COUNTED
    split = as_object(told.get("cache_creation"))
    try:
        uncached, output = as_count(told.get("input_tokens")), as_count(told.get("output_tokens"))
        read = _most(told, ("cache_read_input_tokens",))
        written = _most(told, ("cache_creation_input_tokens",))
        written_5m = _most(split, ("ephemeral_5m_input_tokens",))
        written_1h = _most(split, ("ephemeral_1h_input_tokens",))
    except Illegible:
        return Counted(remarks=("a token count is no number of tokens: usage unknown",))
    remarks = []
    if written_5m + written_1h > written > 0:
        remarks.append("cache writes by lifetime exceed their total: clamped")
    written = written or written_5m + written_1h
    written_1h = min(written_1h, written)
    details = _details(told, _OUTPUT_DETAILS)
    return normalised(
        input_tokens=None if uncached is None else uncached + read + written,
        output_tokens=output,
        read=read,
        written_5m=written - written_1h,
        written_1h=written_1h,
        reasoning=max(_legible(details, _REASONING), _legible(told, _REASONING)),
        free_input=free_input,
        free_output=free_output,
        remarks=remarks,
    )


def gemini_usage(told: JsonObject, *, free_input: bool, free_output: bool) -> Counted:
    """Counts in Gemini's way: thoughts stand beside the candidates, tools' results beside the prompt.

    A count that is zero is left out; the total then tells what it was.
    """
    if not told:
        return NOT_COUNTED
    try:
        prompt, said = as_count(told.get("promptTokenCount")), as_count(told.get("candidatesTokenCount"))
        read = as_count(told.get("cachedContentTokenCount")) or 0
        thoughts = as_count(told.get("thoughtsTokenCount")) or 0
        results = as_count(told.get("toolUsePromptTokenCount")) or 0
    except Illegible:
        return Counted(remarks=("a token count is no number of tokens: usage unknown",))
    total = as_count_or_none(told.get("totalTokenCount"))
    if prompt is None or (said is None and total is None):
        return NOT_COUNTED
    remarks = []
    beside = 0 if total is None else total - prompt - results - (said or 0) - thoughts
    if beside > 0:
        thoughts += beside
        remarks.append("tokens counted only in the total: added to the output")
    return normalised(
        input_tokens=prompt + results,
        output_tokens=(said or 0) + thoughts,
        read=read,
        reasoning=thoughts,
        free_input=free_input,
        free_output=free_output,
        remarks=remarks,
    )


def converse_usage(told: JsonObject, *, free_input: bool, free_output: bool) -> Counted:
    """Counts in Bedrock's way: Anthropic's under other names, and thinking is not told apart."""
    rows = [as_object(row) for row in as_list(told.get("cacheDetails"))]
    renamed = {
        "input_tokens": told.get("inputTokens"),
        "output_tokens": told.get("outputTokens"),
        "cache_read_input_tokens": told.get("cacheReadInputTokens"),
        "cache_creation_input_tokens": told.get("cacheWriteInputTokens"),
        "cache_creation": {
            f"ephemeral_{row.get('ttl')}_input_tokens": row.get("inputTokens") for row in rows
        },
    }
    return messages_usage(renamed, free_input=free_input, free_output=free_output)


def _details(told: JsonObject, names: tuple[str, ...]) -> JsonObject:
    return next((found for name in names if (found := as_object(told.get(name)))), {})


def _first(told: JsonObject, names: tuple[str, ...]) -> int | None:
    """The first of some names that tells a count.

    Raises:
        Illegible: a name tells something that is none.
    """
    return next((count for name in names if (count := as_count(told.get(name))) is not None), None)


def _most(told: JsonObject, names: tuple[str, ...]) -> int:
    """The largest of one count's names: gateways write it under their own and leave the other at zero.

    Raises:
        Illegible: a name tells something that is no count.
    """
    return max((as_count(told[name]) or 0 for name in names if name in told), default=0)


def _legible(told: JsonObject, names: tuple[str, ...]) -> int:
    """As `_most`, for a part that no price rests on: what is no count is not told."""
    return max((as_count_or_none(told[name]) or 0 for name in names if name in told), default=0)
