"""What the serving side knows of a tool's run, beside what came of the tool's file."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.store import Snapshot

MOST_ADDED_MS = 400
"""What a tool's own work may add to a request under load; a unit mistaken for another is off a thousandfold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Requests as the server answered them, in the order of their arrival."""

    entries: Sequence[dict[str, Any]]

    @property
    def answered(self) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["status"] == 200]

    def total(self, column: str) -> int:
        return sum(entry[column] or 0 for entry in self.answered)

    def cost_usd(self, unpriced: Sequence[str] = ()) -> Decimal:
        return sum(
            (Decimal(str(entry["cost_usd"])) for entry in self.answered if entry["model"] not in unpriced),
            Decimal(0),
        )


def differences(
    view: Snapshot, run_id: str, served: Served, *, unpriced: Sequence[str] = (), retried: int = 0
) -> list[str]:
    """What an imported run says otherwise than the server; nothing when they agree.

    Args:
        unpriced: models that our price book rightly does not know.
        retried: attempts that the tool repeated and hides.
    """
    (found,) = view.dicts(
        """SELECT count(*) AS n, count(*) FILTER (status = 'ok' AND cost_usd IS DISTINCT FROM 0) AS ok,
            sum(draft_input_tokens) FILTER (status = 'ok') AS input_tokens,
            sum(draft_cache_read_tokens) FILTER (status = 'ok') AS cache_read_tokens,
            sum(draft_output_tokens) FILTER (status = 'ok') AS output_tokens,
            sum(cost_usd) AS usd,
            list(coalesce(service_ms, latency_ms) ORDER BY coalesce(service_ms, latency_ms))
                FILTER (status = 'ok' AND latency_ms IS NOT NULL) AS ms,
            list(ttft_ms ORDER BY ttft_ms) FILTER (ttft_ms IS NOT NULL) AS ttft_ms
        FROM requests WHERE run_id = ?""",
        [run_id],
    )
    wrong = []
    for name, ours, truth in (
        ("answers", found["ok"], len(served.answered)),
        ("input tokens", found["input_tokens"], served.total("input_tokens")),
        ("cached tokens", found["cache_read_tokens"] or 0, served.total("cache_read_tokens")),
        ("output tokens", found["output_tokens"], served.total("output_tokens")),
        ("dollars", found["usd"], served.cost_usd(unpriced)),
    ):
        if ours != truth:
            wrong.append(f"{name}: {ours}, the server {truth}")
    wrong += _late("latency", found["ms"], sorted(entry["finished_ms"] for entry in served.answered))
    if found["ttft_ms"]:
        wrong += _late("ttft", found["ttft_ms"], sorted(entry["first_byte_ms"] for entry in served.answered))
    return wrong


def _late(name: str, ours: Sequence[float], truth: Sequence[float]) -> list[str]:
    """Each order statistic is the server's and a little more: never less than 2 ms below, nor far above."""
    if len(ours) != len(truth):
        return [f"{name}: {len(ours)} values, the server {len(truth)}"]
    apart = [one - other for one, other in zip(ours, truth, strict=True)]
    if min(apart) < -2 or max(apart) > MOST_ADDED_MS:
        return [f"{name}: between {min(apart):.1f} and {max(apart):.1f} ms more than the server's"]
    return []


def samples() -> Path:
    """The kept files, a folder a tool."""
    return Path(__file__).with_name("samples")
