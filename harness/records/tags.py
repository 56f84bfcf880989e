"""Tags: a request's further dimensions (`tenant`, `plan`), whatever its case, event or answer says of it."""

import re
from collections.abc import Callable, Mapping
from typing import Any

MOST_TAGS = 8
"""Of one request."""
MOST_TAG_CHARS = 64
"""Of a name, and of a value; a longer value is cut."""
TAG_NAME = r"[a-z][a-z0-9_]{0,63}"

_NAME = re.compile(TAG_NAME)


def tag_name(text: str) -> str:
    """The name itself, when it can be one.

    Raises:
        ValueError: it cannot; one sentence. Names reach SQL and links, so that nothing else may stand in one.
    """
    if _NAME.fullmatch(text) is None:
        raise ValueError(
            f"'{text[:40]}' cannot name a tag: small letters, digits and _ can, a letter first, "
            f"at most {MOST_TAG_CHARS}"
        )
    return text


def tag_names(texts: list[str]) -> tuple[str, ...]:
    """Names that one request's tags may have, each once.

    Raises:
        ValueError: one of them can be no name, or there are too many.
    """
    names = tuple(dict.fromkeys(tag_name(text) for text in texts))
    if len(names) > MOST_TAGS:
        raise ValueError(f"{len(names)} tags are too many: a request keeps at most {MOST_TAGS}")
    return names


def tags_of(told: Mapping[str, Any], mask: Callable[[str], str] = str) -> dict[str, str]:
    """The tags among what was told: at most `MOST_TAGS`, each a text of at most `MOST_TAG_CHARS`.

    Args:
        told: values by name; what is no text, number or truth value, or has no tag's name, is left out.
        mask: hides secrets in a text, before it is cut.
    """
    found: dict[str, str] = {}
    for name, value in told.items():
        if len(found) < MOST_TAGS and _NAME.fullmatch(name) and (text := _text(value)):
            found[name] = mask(text)[:MOST_TAG_CHARS]
    return found


def _text(value: Any) -> str:
    """A value as a tag says it; empty for what cannot be one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).strip()
    return ""
