"""What a secret key looks like, and its mask: one list for records, messages and reports."""

import re

MASK = "[redacted]"

_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # Anthropic, OpenAI and those who copied them
    r"|(?:Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{12,}"
    r"|A[KS]IA[0-9A-Z]{16}"
    r"|(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=_-]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AIza[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"  # a JSON web token
    r")"
)
HINTS = (
    b"sk-",
    b"Bearer",
    b"Basic",
    b"A[KS]IA",
    b"ABSK",
    b"bedrock-api-key-",
    b"gh[pousr]_",
    b"xox[abprs]-",
    b"AIza",
    b"eyJ",
)
"""How the known keys begin, as regular expressions: looked for in a whole line first, in one pass."""


def without_keys(text: str) -> str:
    """A text with everything masked that looks like a key of a known kind."""
    return _SHAPES.sub(MASK, text)
