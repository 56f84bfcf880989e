"""From a provider's words to a safe excerpt: no key, and nothing of what it was asked.

Providers echo requests in their refusals: a validator's list has the input beside each complaint, a message
may be a JSON text of such a list, a sentence may quote the prompt.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from harness.keys import MASK, without_likely_keys
from harness.providers.reading.values import parse

EXCERPT_CHARS = 200
_ECHO_CHARS = 12
"""So many letters and digits in a row that also stand in the prompt are an echo of it."""
_DEEPEST = 5
_MOST_COMPLAINTS = 20

_STRUCTURE = re.compile(r"[\[{]\s*[\[{\"']")
_QUOTED = re.compile(r"""(["'`])(.{3,}?)\1""")
_NAME_LIKE = re.compile(r"[\w-]*[\d_-][\w-]*")
_SPEAKING = (
    "message",
    "msg",
    "Message",
    "error",
    "errors",
    "detail",
    "details",
    "description",
    "error_description",
    "reason",
)


def first_of(body: object) -> object:
    """The first element of a JSON array, as Gemini wraps its errors in; anything else as it is."""
    return body[0] if isinstance(body, list) and body else body


def error_part(body: object) -> Mapping[str, Any]:
    """The object that tells of an error, within whatever wraps it."""
    body = first_of(body)
    if not isinstance(body, Mapping):
        return {}
    inner = first_of(body.get("error") or body.get("errors"))
    return inner if isinstance(inner, Mapping) else body


def message_of(body: object) -> str:
    """The provider's own sentence, unbounded and unredacted; empty when there is none.

    Of structures only what speaks is kept, never the input that a validator lays beside it.
    """
    return _spoken(first_of(body), 0)


def _spoken(told: object, depth: int) -> str:
    if isinstance(told, str):
        return _sentence(told, depth)
    if depth > _DEEPEST:
        return ""
    if isinstance(told, Mapping):
        words = next((said for name in _SPEAKING if (said := _spoken(told.get(name), depth + 1))), "")
        where = told.get("loc")
        return f"{where}: {words}" if words and isinstance(where, list | str) else words
    if isinstance(told, list):
        items = [item for item in told[:_MOST_COMPLAINTS] if isinstance(item, Mapping)]
        return "; ".join(filter(None, (_spoken(item, depth + 1) for item in items)))
    return ""


def _sentence(text: str, depth: int) -> str:
    """A text up to the structure in it; of the structure only what speaks."""
    found = _STRUCTURE.search(text)
    if found is None:
        return text
    before, structure = text[: found.start()], text[found.start() :]
    try:
        inner = _spoken(parse(structure), depth + 1)
    except ValueError:
        inner = ""
    return f"{before}{inner or '...'}"


def excerpt(
    text: str,
    secrets: tuple[str, ...] = (),
    *,
    asked: Sequence[str] = (),
    limit: int = EXCERPT_CHARS,
) -> str:
    """One line of at most 200 characters, with keys, anything that looks like one, and echoes masked.

    Args:
        text: what the provider said.
        secrets: values known to be secret.
        asked: the texts of the request, of which nothing may show.
        limit: another length than 200.
    """
    # Bound before the patterns run: a body may be megabytes. Twice over, so that a cut key is still masked.
    line = " ".join(text[: limit * 4].split())
    for secret in secrets:
        if secret:
            line = line.replace(secret, MASK)
    line = without_likely_keys(line)
    if asked and line:
        line = _without_echo(line, asked)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _without_echo(line: str, asked: Sequence[str]) -> str:
    """The line with everything masked that also stands in what was asked, however it is quoted or escaped."""
    plain = " ".join(" ".join(asked).split())
    line = _QUOTED.sub(lambda found: _masked_if(found[0], found[2], plain), line)
    line = _NAME_LIKE.sub(lambda found: _masked_if(found[0], found[0], plain), line)
    asked_letters = _letters(plain)[0]
    letters, positions = _letters(line)
    spans: list[tuple[int, int]] = []
    start = 0
    while start + _ECHO_CHARS <= len(letters):
        end = start + _ECHO_CHARS
        if letters[start:end] not in asked_letters:
            start += 1
            continue
        while end < len(letters) and letters[start : end + 1] in asked_letters:
            end += 1
        spans.append((positions[start], positions[end - 1] + 1))
        start = end
    for first, last in reversed(spans):
        line = line[:first] + MASK + line[last:]
    return line


def _masked_if(shown: str, text: str, plain: str) -> str:
    return shown.replace(text, MASK) if len(text) > 3 and text in plain else shown


def _letters(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text in lower case, and where each stands."""
    positions = [at for at, char in enumerate(text) if char.isalnum()]
    # `casefold` may lengthen a text; `lower` of a single letter is cut to its first.
    return "".join(text[at].lower()[:1] for at in positions), positions
