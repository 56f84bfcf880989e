"""What a secret key looks like, and its mask: the one list, for all that is kept or shown."""

import re
from dataclasses import dataclass

MASK = "[redacted]"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderKey:
    """A provider's own key: its variable, how it begins for people, and the whole of one."""

    variable: str
    begins: str
    shape: re.Pattern[str]


_GOOGLE = r"AIza[A-Za-z0-9_-]{30,}|AQ\.[A-Za-z0-9_-]{20,}"
_BEDROCK = r"(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=_-]{20,}"

_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # Anthropic, OpenAI and those who copied them
    r"|(?:Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{12,}"
    r"|A[KS]IA[0-9A-Z]{16}"
    rf"|{_BEDROCK}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    rf"|{_GOOGLE}"
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
    rb"AQ\.",
    b"eyJ",
)
"""How the known keys begin, as regular expressions: looked for in a whole line first, in one pass."""

_LIKELY = re.compile(
    r"(?i)\b(?:sk|pk|gsk|key|xai|hf)[-_][\w*.-]{6,}|\bAIza[\w-]{10,}|\bAQ\.[\w-]{10,}|\bbearer\s+\S+"
    r"|\b[\w*+/=.-]{40,}"
)

PROVIDER_KEYS = {
    "anthropic": ProviderKey(
        variable="ANTHROPIC_API_KEY", begins="sk-ant-...", shape=re.compile(r"sk-ant-[\w-]{8,}")
    ),
    "openai": ProviderKey(variable="OPENAI_API_KEY", begins="sk-...", shape=re.compile(r"sk-[\w-]{8,}")),
    "gemini": ProviderKey(variable="GEMINI_API_KEY", begins="AIza... or AQ....", shape=re.compile(_GOOGLE)),
    "bedrock": ProviderKey(
        variable="AWS_BEARER_TOKEN_BEDROCK",
        begins="ABSK... or bedrock-api-key-...",
        shape=re.compile(_BEDROCK),
    ),
}
"""The built-in providers'."""


def without_keys(text: str) -> str:
    """A text with everything masked that looks like a key of a known kind."""
    return _SHAPES.sub(MASK, text)


def without_likely_keys(text: str) -> str:
    """A stranger's words with everything masked that may be a key, also a shortened or starred one."""
    return _LIKELY.sub(MASK, without_keys(text))
