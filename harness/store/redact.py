"""Keys and configured patterns never reach a spool: they are masked before a line is written.

Masked are the values of this process's own secret variables, what looks like a key of a known kind, and what
the file named by `HARNESS_REDACT` lists (one regular expression a line, `#` begins a comment).
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import orjson

from harness.errors import ConfigError
from harness.records import dump_json, load_json_exact
from harness.store.codec import columns_of

PATTERNS_VARIABLE = "HARNESS_REDACT"
MASK = "[redacted]"
MIN_SECRET_CHARS = 8
"""Shorter values are words, not keys: masking them would eat ordinary text."""

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_KNOWN_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{16,}"  # Anthropic, OpenAI and those who copied them
    r"|(?:Bearer|Basic)\s+[A-Za-z0-9+/._~=-]{12,}"
    r"|AKIA[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AIza[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*"  # a JSON web token
    r")"
)
_HINTS = (b"sk-", b"Bearer", b"Basic", b"AKIA", b"gh[pousr]_", b"xox[abprs]-", b"AIza", b"eyJ")
"""How the known keys begin, as regular expressions: looked for in a whole line first, in one pass."""


class Redactor:
    """Masks secrets in records' JSON objects.

    Args:
        secrets: exact values; those shorter than `MIN_SECRET_CHARS` are ignored.
        patterns: regular expressions over each text value.
    """

    def __init__(self, secrets: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        values = {secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS}
        values |= {quote(secret, safe="") for secret in values}
        self._secrets = sorted(values, key=len, reverse=True)
        self._patterns = [re.compile(pattern) for pattern in patterns]
        # As they stand in a line's JSON, and in JSON text inside it.
        escaped = {_escaped(secret) for secret in self._secrets}
        needles = (text.encode() for text in escaped | {_escaped(text) for text in escaped})
        self._suspicion = re.compile(b"|".join((*_HINTS, *map(re.escape, needles))))

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Self:
        """The redactor for this process's variables.

        Raises:
            ConfigError: the patterns file is missing, or a pattern is not a regular expression.
        """
        variables = os.environ if env is None else env
        secrets = [value for name, value in variables.items() if _SECRET_NAME.search(name)]
        return cls(secrets, _patterns_from(variables.get(PATTERNS_VARIABLE)))

    def text(self, text: str) -> str:
        """A text with every secret masked."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        text = _KNOWN_KEYS.sub(MASK, text)
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value with every text in it masked, keys of objects too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def row(self, type_name: str, row: dict[str, Any], encoded: bytes) -> dict[str, Any] | None:
        """A record's JSON object with every secret masked; None when there is nothing to mask.

        Args:
            type_name: the record's type.
            row: as `codec.json_object` makes it.
            encoded: the row as JSON, looked through first because that is cheap.
        """
        if not self._suspects(encoded):
            return None
        kinds = columns_of(type_name)
        masked = {}
        for name, value in row.items():
            if kinds[name] == "json":
                masked[name] = dump_json(self.value(load_json_exact(value))).decode()
            else:
                masked[name] = self.text(value) if kinds[name] == "text" else value
        return masked if masked != row else None

    def _suspects(self, encoded: bytes) -> bool:
        return bool(self._patterns) or self._suspicion.search(encoded) is not None


def _escaped(text: str) -> str:
    return orjson.dumps(text).decode()[1:-1]


def _patterns_from(path: str | None) -> list[str]:
    if not path:
        return []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{PATTERNS_VARIABLE}={path}", f"cannot be read ({error})") from error
    patterns = []
    for number, line in enumerate(lines, start=1):
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        try:
            matches_nothing = re.compile(pattern).match("") is not None
        except re.error as error:
            raise ConfigError(f"{path}:{number}", f"not a regular expression ({error})") from error
        if matches_nothing:
            raise ConfigError(f"{path}:{number}", "the pattern matches empty text and would mask everything")
        patterns.append(pattern)
    return patterns
