"""The JSON object in a model's answer, whatever stands around it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.errors import BadOutputError

MAX_ANSWER_CHARS = 400_000
MAX_ATTEMPTS = 64

_DECODER = json.JSONDecoder()


def find_json_object(text: str, *, wanted: Sequence[str]) -> dict[str, Any]:
    """The first JSON object that has one of the wanted keys, be it bare, fenced or amid prose.

    Args:
        text: a model's whole answer.
        wanted: keys, any of which makes an object the answer.

    Raises:
        BadOutputError: no such object, or an answer of unreasonable length.
    """
    if len(text) > MAX_ANSWER_CHARS:
        raise BadOutputError(f"the answer has {len(text)} characters, more than {MAX_ANSWER_CHARS}")
    for found in _objects(text):
        if any(key in found for key in wanted):
            return found
    if not text.strip():
        raise BadOutputError("the answer is empty")
    raise BadOutputError(f"the answer holds no JSON object with {' or '.join(wanted)}")


def _objects(text: str) -> Iterator[dict[str, Any]]:
    start = text.find("{")
    for _ in range(MAX_ATTEMPTS):
        if start < 0:
            return
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if isinstance(value, dict):
                yield value
        start = text.find("{", end)
