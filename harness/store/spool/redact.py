"""Keys and configured patterns never reach a spool: they are masked before a line is written.

Masked are the values of this process's own secret variables, what looks like a key of a known kind, and what
the file named by `HARNESS_REDACT` lists (one regular expression a line, `#` begins a comment).
"""

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import orjson

from harness.errors import ConfigError
from harness.inputs import read_text
from harness.keys import HINTS, MASK, without_keys
from harness.records import dump_json, load_json_exact
from harness.store.spool.codec import columns_of

PATTERNS_VARIABLE = "HARNESS_REDACT"
MIN_SECRET_CHARS = 8
"""Shorter values are words, not keys: masking them would eat ordinary text."""

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_QUOTED = re.compile(r"\s*'[^']*'")
_LINE_END = re.compile(r"\r\n|\r|\n")
_MOST_PATTERN_BYTES = 1_000_000


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
        self._suspicion = re.compile(b"|".join((*HINTS, *map(re.escape, needles))))

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
        text = without_keys(text)
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
    """The patterns of a file, each checked. A pattern may be a secret itself: no message shows one."""
    if not path:
        return []
    text = read_text(Path(path), _MOST_PATTERN_BYTES, source=f"{PATTERNS_VARIABLE}={path}")
    patterns = []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        pattern = line.strip(" \t")
        if not pattern or pattern.startswith("#"):
            continue
        problem = _pattern_problem(pattern)
        if problem is not None:
            raise ConfigError(f"{path}:{number}", problem)
        patterns.append(pattern)
    return patterns


def _pattern_problem(pattern: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a later Python may read differently is no error today
            matches_nothing = re.compile(pattern).match("") is not None
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        said = _QUOTED.sub("", error.msg if isinstance(error, re.error) else "too large or too deep")
        return f"not a regular expression ({said})"
    return "the pattern matches empty text and would mask everything" if matches_nothing else None
