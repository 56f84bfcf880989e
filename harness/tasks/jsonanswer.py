"""The JSON value in a model's answer: the whole of it, fenced, or the first object or list amid prose."""

import json
import re
from typing import Any

from harness.errors import BadOutputError

MAX_ATTEMPTS = 64
_DECODER = json.JSONDecoder()
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_OPENING = re.compile(r"[\[{]")


def find_json(text: str) -> Any:
    """The value that an answer holds.

    Args:
        text: a model's whole answer.

    Raises:
        BadOutputError: no JSON in it.
    """
    for candidate in (text, *(fence.group(1) for fence in _FENCED.finditer(text))):
        try:
            return _DECODER.decode(candidate.strip())
        except (ValueError, RecursionError):
            continue
    for place, _ in zip(_OPENING.finditer(text), range(MAX_ATTEMPTS), strict=False):
        try:
            return _DECODER.raw_decode(text, place.start())[0]
        except (ValueError, RecursionError):
            continue
    raise BadOutputError("the answer is empty" if not text.strip() else "the answer holds no JSON")
