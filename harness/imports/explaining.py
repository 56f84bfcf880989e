"""What a file holds: its keys, which columns they would be, and which figures would stay empty."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.imports.formats import recognised
from harness.imports.mapping import COLUMNS
from harness.imports.observed import JsonObject
from harness.imports.sources import is_table, pieces, table_lines
from harness.store.log_text import plain_text
from harness.store.log_wrappers import unwrapped

_LOOKED_AT = 1000
_MOST_KEYS = 200
_DEEPEST = 4

NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "latency": (("latency_ms",), ("started_at", "ts")),
    "time to first token": (("ttft_ms",),),
    "errors": (("status",), ("http_status",), ("error_kind",), ("error_message",)),
    "cost": (("cost_usd",), ("model", "input_tokens", "output_tokens")),
    "cache savings": (("cache_read_tokens",),),
    "providers and models": (("model",),),
    "joining to a run": (("request_id",), ("provider_request_id",), ("ts",)),
    "environments": (("environment",),),
}
"""Figure -> the columns it needs, any one group of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What is in a file.

    Attributes:
        format: the recognised one's name; `events` for our own, None for neither.
        objects: how many were looked at.
        keys: path -> how many of them have it.
        mapped: our column -> path, where the names tell.
        missing: figure -> the columns that would give it.
    """

    format: str | None
    objects: int
    keys: dict[str, int]
    mapped: dict[str, str]
    missing: dict[str, list[str]]

    def map_text(self) -> str:
        """A map file of it."""
        lines = ["# OURS=THEIRS; times or divided by a number where the unit differs (latency_ms=dur_s*1000)"]
        lines += [f"{ours}={theirs}" for ours, theirs in self.mapped.items()]
        lines += [f"# {ours}=?" for ours in COLUMNS if ours not in self.mapped]
        return "\n".join(lines) + "\n"

    def sentence(self) -> str:
        """The keys and what to do, for an error message."""
        if not self.keys:
            return "no JSON object, nor a row of a table"
        keys = ", ".join(islice(self.keys, 12))
        maps = (
            " ".join(f"--map {ours}={theirs}" for ours, theirs in self.mapped.items()) or "--map OURS=THEIRS"
        )
        return f"keys seen: {keys}; no format recognises them: say which is which ({maps[:300]})"


def explained(source: Path, opened: Path | None = None) -> Explanation:
    """Look at the first objects of a file.

    Raises:
        UsageError: the file cannot be read.
    """
    if is_table(source):
        values = [value for line in islice(table_lines(source), _LOOKED_AT) for value in line.values]
    else:
        with plain_text(opened or source, source) as plain:
            first = next(pieces(plain, 0), (iter(()), 0))[0]
            values = [value for line in islice(first, _LOOKED_AT) for value in line.values]
    return explanation(values)


def explanation(values: Sequence[JsonObject]) -> Explanation:
    """What some objects are."""
    reader = recognised(values)
    name = reader.NAME if reader else "events" if any(unwrapped(dict(value)) for value in values) else None
    keys: Counter[str] = Counter()
    for value in values:
        keys.update(set(_paths(value)))
    shown = dict(keys.most_common(_MOST_KEYS))
    mapped = _mapped(shown)
    missing = {
        figure: [" and ".join(group) for group in groups]
        for figure, groups in NEEDS.items()
        if not any(all(column in mapped for column in group) for group in groups)
    }
    return Explanation(format=name, objects=len(values), keys=shown, mapped=mapped, missing=missing)


def _paths(value: Any, before: str = "", depth: int = 0) -> Iterable[str]:
    if isinstance(value, Mapping) and depth < _DEEPEST and value:
        for key, inner in value.items():
            yield from _paths(inner, f"{before}.{key}" if before else str(key), depth + 1)
    elif before:
        yield before


def _mapped(keys: Mapping[str, int]) -> dict[str, str]:
    found: dict[str, str] = {}
    for ours, names in COLUMNS.items():
        exact = next((name for name in names if name in keys), None)
        nested = next((key for name in names for key in keys if key.rpartition(".")[2] == name), None)
        if (exact or nested) and (exact or nested) not in found.values():
            found[ours] = exact or nested or ""
    return found
