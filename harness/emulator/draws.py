"""Every chance is a pure function of seed, model, request body and its n-th occurrence.

Nothing is consumed in arrival order, so concurrency, retries of others and restarts change no draw.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import orjson

NOT_PART_OF_THE_QUESTION = frozenset(
    {"metadata", "user", "safety_identifier", "prompt_cache_key", "store", "service_tier", "requestMetadata"}
)
"""Top-level fields that identify the caller, not the question: they change no draw."""


def body_digest(body: Mapping[str, Any], asked_apart: str = "") -> bytes:
    """Digest of the question, 16 bytes; key order and caller labels do not matter.

    Args:
        body: the request body.
        asked_apart: from `X-Emulate-Draw`; the same body under another text is another question.
    """
    question = {key: value for key, value in body.items() if key not in NOT_PART_OF_THE_QUESTION}
    text = orjson.dumps(question, option=orjson.OPT_SORT_KEYS)
    key = hashlib.blake2b(asked_apart.encode()).digest() if asked_apart else b""
    return hashlib.blake2b(text, digest_size=16, key=key).digest()


class Draws:
    """The chances of one request, each named.

    Args:
        seed: the emulator's seed.
        model: as requested.
        digest: of the request body.
        occurrence: 1 for the first time this body is seen, and so on.
    """

    def __init__(self, *, seed: int, model: str, digest: bytes, occurrence: int) -> None:
        text = f"{seed}\0{model}\0{occurrence}\0".encode()
        self._root = hashlib.blake2b(text + digest, digest_size=16).digest()

    def uniform(self, name: str) -> float:
        """A number strictly inside 0..1, always the same for the same name."""
        raw = hashlib.blake2b(self._root + name.encode(), digest_size=8).digest()
        return ((int.from_bytes(raw) >> 12) + 0.5) / (1 << 52)

    def token(self, name: str, length: int = 24) -> str:
        """A short hexadecimal identifier."""
        return hashlib.blake2b(self._root + name.encode(), digest_size=20).hexdigest()[:length]

    def stream(self, name: str) -> random.Random:
        """A generator of one's own, for many choices inside one answer."""
        return random.Random(self._root + name.encode())  # noqa: S311 - emulation, not cryptography


class Occurrences:
    """How often each body has been seen by this process."""

    def __init__(self) -> None:
        self._seen: defaultdict[bytes, int] = defaultdict(int)

    def next(self, digest: bytes) -> int:
        """Count one more; 1 for the first."""
        self._seen[digest] += 1
        return self._seen[digest]
