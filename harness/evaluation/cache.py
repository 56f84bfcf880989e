"""Answers kept from one evaluation to the next, found by everything that determines them.

Off unless asked for: it keeps what models said as text. Only the first repeat of a case reads or writes it,
and an answer serves only the strategy that paid for it: the same text twice in one comparison is not two
samples.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.clock import SYSTEM_CLOCK, Clock
from harness.evaluation.plan import Unit
from harness.orchestration import AdapterPool, Route
from harness.pricing.catalogue import CACHED
from harness.providers.base import LLMAdapter
from harness.records import NO_USAGE, Completion, Prompt, dump_json, new_id
from harness.store.spool.redact import Redactor
from harness.version import __version__

FORMAT: Literal[1] = 1
FOLDER = "cache"
"""Inside the store."""


class Entry(BaseModel):
    """One kept answer as its file holds it. `digest` is of the text, so that a torn file is noticed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    format: Literal[1]
    key: str
    run_id: str
    stored_at: str
    model: str
    stop_reason: str | None
    emulated: bool
    text: str
    digest: str


@dataclass(slots=True, kw_only=True)
class CacheCounts:
    """What a session's cache came to.

    Attributes:
        corrupt: entries that could not be read and were ignored.
        withheld: answers not kept because they hold what the store masks.
        unwritten: answers that could not be written.
    """

    served: int = 0
    missed: int = 0
    kept: int = 0
    corrupt: int = 0
    withheld: int = 0
    unwritten: int = 0


@dataclass(slots=True, kw_only=True)
class ResponseCache:
    """The answers under one folder, a file each.

    Attributes:
        origin: of emulated answers: what makes the emulator what it is; None for configured endpoints, which
            their base URL tells apart.
        on_problem: told once that an answer could not be kept.
    """

    folder: Path
    run_id: str
    redactor: Redactor
    origin: str | None = None
    on_problem: Callable[[str], None] = lambda _sentence: None
    clock: Clock = SYSTEM_CLOCK
    counts: CacheCounts = field(default_factory=CacheCounts)

    def key(self, route: Route, prompt: Prompt, strategy: str) -> str:
        """The digest of everything that determines an answer, and of who asks."""
        settings = route.settings
        question: dict[str, Any] = {
            "format": FORMAT,
            "harness": __version__,
            "provider": route.provider,
            "kind": settings.kind,
            **({} if settings.api is None else {"api": settings.api}),
            "model": route.model,
            "origin": self.origin or settings.base_url,
            "headers": sorted(settings.extra_headers),
            "strategy": strategy,
            "role": prompt.role,
            "system": prompt.system,
            "messages": prompt.messages,
            "schema": prompt.output_schema,
            "schema_name": prompt.schema_name,
            "max_tokens": prompt.max_tokens,
            "temperature": prompt.temperature,
        }
        return sha256(dump_json(question)).hexdigest()

    def find(self, key: str) -> Completion | None:
        """A kept answer, as one that used and costs nothing; None when there is none that can be read."""
        try:
            entry = Entry.model_validate_json(self._path(key).read_bytes())
        except FileNotFoundError:
            self.counts.missed += 1
            return None
        except (OSError, ValidationError):
            self._count_corrupt()
            return None
        if entry.key != key or entry.digest != _digest(entry.text):
            self._count_corrupt()
            return None
        self.counts.served += 1
        return Completion(
            text=entry.text,
            usage=NO_USAGE,
            model=entry.model,
            stop_reason=entry.stop_reason,
            emulated=entry.emulated,
            price_context=CACHED,
        )

    def keep(self, key: str, completion: Completion) -> None:
        """Keep an answer; what cannot be kept is counted, and nothing else happens."""
        if self.redactor.text(completion.text) != completion.text:
            self.counts.withheld += 1  # masked it would be another answer, unmasked it would be a leak
            return
        entry = Entry(
            format=FORMAT,
            key=key,
            run_id=self.run_id,
            stored_at=_utc(self.clock.now()),
            model=completion.model,
            stop_reason=completion.stop_reason,
            emulated=completion.emulated,
            text=completion.text,
            digest=_digest(completion.text),
        )
        try:
            _write(self._path(key), entry.model_dump_json().encode())
        except OSError as error:
            if not self.counts.unwritten:
                self.on_problem(f"the cache in {self.folder} cannot be written ({error.strerror})")
            self.counts.unwritten += 1
            return
        self.counts.kept += 1

    def pool(self, inner: AdapterPool, unit: Unit) -> AdapterPool:
        """The pool that a unit's calls go through: behind the cache for a first repeat, else as it is."""
        return CachingPool(inner, self, unit.strategy.name) if unit.repeat == 1 else inner

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _count_corrupt(self) -> None:
        self.counts.corrupt += 1
        self.counts.missed += 1


class CachingPool(AdapterPool):
    """Adapters that look into the cache first."""

    def __init__(self, inner: AdapterPool, cache: ResponseCache, strategy: str) -> None:
        super().__init__()
        self._inner, self._cache, self._strategy = inner, cache, strategy

    def get(self, route: Route) -> LLMAdapter:
        """The adapter of a route, behind the cache."""
        return CachingAdapter(self._inner.get(route), route, self._cache, self._strategy)


class CachingAdapter:
    """An adapter whose answers may come from the cache; see `LLMAdapter`."""

    def __init__(self, inner: LLMAdapter, route: Route, cache: ResponseCache, strategy: str) -> None:
        self.name, self.model, self.local = inner.name, inner.model, inner.local
        self._inner, self._route, self._cache, self._strategy = inner, route, cache, strategy

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:
        """A kept answer, else the provider's, which is then kept."""
        key = self._cache.key(self._route, prompt, self._strategy)
        found = self._cache.find(key)
        if found is not None:
            return found
        answered = await self._inner.generate(prompt, call_id=call_id, timeout_s=timeout_s)
        self._cache.keep(key, answered)
        return answered

    async def aclose(self) -> None:
        """Release connections."""
        await self._inner.aclose()


def counts_text(counts: CacheCounts) -> str:
    """A session's counts in one line; what did not happen is left out."""
    told: Mapping[str, int] = {
        "answers served": counts.served,
        "kept": counts.kept,
        "corrupt entries ignored": counts.corrupt,
        "withheld because they hold a secret": counts.withheld,
        "not written": counts.unwritten,
    }
    parts = [f"{count:,} {what}" for what, count in told.items() if count or what == "answers served"]
    return f"cache: {', '.join(parts)}"


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, readable by this user alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{new_id()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _utc(moment: datetime) -> str:
    return moment.isoformat()
