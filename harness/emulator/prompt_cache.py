"""Prompt caches as the providers account for them; a prefix is live from the moment it is first sent."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.emulator.bill import BYTES_PER_TOKEN, tokens_of

FIVE_MINUTES_S = 300.0
ONE_HOUR_S = 3600.0
OPENAI_TTL_S = 600.0
OPENAI_STEP_TOKENS = 128
LOOKBACK_BLOCKS = 20
_MOST_ENTRIES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One piece of a prompt, in the provider's order (tools, system, messages).

    Attributes:
        text: what it says.
        cache_ttl: `5m` or `1h` where the caller set a cache breakpoint at its end.
    """

    text: str
    cache_ttl: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheShare:
    """Tokens of a prompt that the cache served or took in; the rest is charged plainly."""

    read: int = 0
    write_5m: int = 0
    write_1h: int = 0


class PromptCache:
    """Live prefixes by model. `now_s` is a monotonic clock in seconds."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._live: dict[bytes, tuple[float, float]] = {}

    def marked(self, model: str, blocks: Sequence[Block], min_tokens: int | None) -> CacheShare:
        """Explicit breakpoints: the longest live prefix is read, the rest up to the last one written."""
        marks = [index for index, block in enumerate(blocks) if block.cache_ttl]
        if min_tokens is None or not marks:
            return CacheShare()
        keys, sizes = _prefixes(model, blocks)
        reachable = {i for mark in marks for i in range(max(0, mark - LOOKBACK_BLOCKS), mark + 1)}
        hit = max((i for i in reachable if sizes[i] >= min_tokens and self._touch(keys[i])), default=None)
        read = done = 0 if hit is None else sizes[hit]
        written = {"5m": 0, "1h": 0}
        for mark in marks:
            ttl = blocks[mark].cache_ttl or "5m"
            if sizes[mark] < min_tokens or sizes[mark] <= done:
                continue
            written[ttl] += sizes[mark] - done
            done = sizes[mark]
            self._keep(keys[mark], ONE_HOUR_S if ttl == "1h" else FIVE_MINUTES_S)
        return CacheShare(read=read, write_5m=written["5m"], write_1h=written["1h"])

    def automatic(self, model: str, blocks: Sequence[Block], min_tokens: int | None) -> CacheShare:
        """Automatic prefixes, from `min_tokens` on in steps of 128 tokens; writing is free."""
        if min_tokens is None:
            return CacheShare()
        raw = "\0".join(block.text for block in blocks).encode()
        digest = hashlib.blake2b(model.encode() + b"\0openai\0", digest_size=16)
        read, live, end = 0, True, 0
        for tokens in range(min_tokens, len(raw) // BYTES_PER_TOKEN + 1, OPENAI_STEP_TOKENS):
            digest.update(raw[end : tokens * BYTES_PER_TOKEN])
            end = tokens * BYTES_PER_TOKEN
            key = digest.digest()
            live = live and self._touch(key)
            if live:
                read = tokens
            else:
                self._keep(key, OPENAI_TTL_S)
        return CacheShare(read=read)

    def _touch(self, key: bytes) -> bool:
        """Whether the prefix is live; reading it renews its lifetime."""
        entry = self._live.get(key)
        now = self._now_s()
        if entry is None or entry[0] <= now:
            return False
        self._live[key] = (now + entry[1], entry[1])
        return True

    def _keep(self, key: bytes, ttl_s: float) -> None:
        now = self._now_s()
        if len(self._live) >= _MOST_ENTRIES:
            self._live = {k: entry for k, entry in self._live.items() if entry[0] > now}
        self._live[key] = (now + ttl_s, ttl_s)


def _prefixes(model: str, blocks: Sequence[Block]) -> tuple[list[bytes], list[int]]:
    digest = hashlib.blake2b(model.encode() + b"\0anthropic\0", digest_size=16)
    keys, sizes, size_bytes = [], [], 0
    for block in blocks:
        raw = block.text.encode()
        digest.update(len(raw).to_bytes(8) + raw)
        size_bytes += len(raw)
        keys.append(digest.digest())
        sizes.append(tokens_of(size_bytes))
    return keys, sizes
