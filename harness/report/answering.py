# ruff: noqa: S608 - constant SQL, values are bound
"""Who answered a run, at whose bill, and what of it nobody can price: by group, not by call."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from harness.pricing import PriceBook
from harness.pricing.bills import MOST_APART_RATIO, PROVIDER
from harness.pricing.book import DECLARED
from harness.records import Usage, terms_from
from harness.store import Snapshot

_SENT = """FROM calls WHERE run_id = $run AND outcome != 'refused'
    AND request_id NOT IN (SELECT request_id FROM requests WHERE run_id = $run AND warmup)"""
_SERVED = f"""SELECT provider, model, served_model, count(*) {_SENT} AND served_model IS NOT NULL
    GROUP BY ALL ORDER BY provider, model, count(*) DESC, served_model"""
_BILLS = f"""SELECT provider, count(*), sum(cost_usd), sum(provider_cost_usd),
    count(*) FILTER (abs(cost_usd - provider_cost_usd) > {MOST_APART_RATIO} * provider_cost_usd)
    {_SENT} AND cost_usd IS NOT NULL AND provider_cost_usd IS NOT NULL
    AND price_source IS DISTINCT FROM '{PROVIDER}'
    GROUP BY provider ORDER BY provider"""
_UNPRICED = f"""SELECT provider, model, served_model, price_context, served_terms::VARCHAR, count(*),
    arg_min(started_at, started_at), max(input_tokens), max(output_tokens), max(cache_read_tokens),
    max(cache_write_5m_tokens), max(cache_write_1h_tokens)
    {_SENT} AND unpriced_reason = 'unpriced' AND price_source IS DISTINCT FROM '{DECLARED}'
    GROUP BY ALL ORDER BY count(*) DESC, provider, model"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The calls that asked for one model and were were answered by one. `is_another`: not that model."""

    provider: str
    asked: str
    served: str
    calls: int
    is_another: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """One provider's calls with both bills, ours and its own; `disagreeing` of them are over 1% apart."""

    provider: str
    calls: int
    ours_usd: Decimal
    theirs_usd: Decimal
    disagreeing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """Calls without a price, and why."""

    provider: str
    model: str
    calls: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A run as it was answered. `models_answered` is None where no answer said who it was from."""

    answered: tuple[Answered, ...]
    billed: tuple[Billed, ...]
    unpriced: tuple[Unpriced, ...]

    @property
    def models_answered(self) -> int | None:
        """How many models answered, by the names that the providers gave."""
        return len({(row.provider, row.served) for row in self.answered}) or None


def answering(view: Snapshot, run_id: str, book: PriceBook) -> Answering:
    """Who answered a run's calls, at whose bill, and why some have no price.

    Args:
        view: the store.
        run_id: of the run; its warm-up and refused calls are left out.
        book: tells models of one family apart from others, and why a call has no price.
    """
    bound = {"run": run_id}
    answered = tuple(
        Answered(
            provider=provider,
            asked=asked,
            served=served,
            calls=calls,
            is_another=book.is_another_model(provider, asked, served),
        )
        for provider, asked, served, calls in view.rows(_SERVED, bound)
    )
    billed = tuple(
        Billed(provider=provider, calls=calls, ours_usd=ours, theirs_usd=theirs, disagreeing=disagreeing)
        for provider, calls, ours, theirs, disagreeing in view.rows(_BILLS, bound)
    )
    unpriced = tuple(_unpriced(book, *row) for row in view.rows(_UNPRICED, bound))
    return Answering(answered=answered, billed=billed, unpriced=unpriced)


def _unpriced(book: PriceBook, *row: Any) -> Unpriced:
    provider, model, served, context, terms, calls, at, total, output, *cached = row
    usage = None
    if total is not None and output is not None:
        read, write_5m, write_1h = (count or 0 for count in cached)
        usage = Usage(
            input_tokens=max(total, read + write_5m + write_1h),
            output_tokens=output,
            cache_read_tokens=read,
            cache_write_5m_tokens=write_5m,
            cache_write_1h_tokens=write_1h,
        )
    charged = book.charged_model(provider, model, served)
    told = terms_from(json.loads(terms) if terms else None)
    priced = book.price(provider, charged, usage, at=at, context=context, terms=told)
    problem = priced.problem or "no price was known then; there is one now"
    return Unpriced(provider=provider, model=model, calls=calls, problem=problem)


def remarks(found: Answering) -> Iterator[str]:
    """What a reader of the run's cost should know, a sentence each; none where all is as asked."""
    asked: dict[tuple[str, str], list[Answered]] = {}
    for row in found.answered:
        asked.setdefault((row.provider, row.asked), []).append(row)
    for (provider, model), rows in asked.items():
        if len(rows) > 1:
            yield f"{len(rows)} models answered as {provider}/{model}: {_counted(rows)}."
        others = [row for row in rows if row.is_another]
        if others:
            yield f"Another model than {provider}/{model} answered, and is priced: {_counted(others)}."
    for bill in found.billed:
        if bill.disagreeing:
            yield (
                f"{bill.provider}'s own bill is over {MOST_APART_RATIO:.0%} from ours on "
                f"{bill.disagreeing:,} of {_calls(bill.calls)}: ${bill.theirs_usd.normalize():f} by its "
                f"word, ${bill.ours_usd.normalize():f} by the price book."
            )
    for part in found.unpriced:
        yield f"{_calls(part.calls)} without a price: {part.problem}."


def _counted(rows: Sequence[Answered]) -> str:
    return ", ".join(f"{row.served} ({_calls(row.calls)})" for row in rows)


def _calls(count: int) -> str:
    return f"{count:,} call{'s' * (count != 1)}"


def answering_payload(found: Answering) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "models_answered": found.models_answered,
        "answered_by": [
            {
                "provider": row.provider,
                "model": row.asked,
                "served_model": row.served,
                "calls": row.calls,
                "is_another_model": row.is_another,
            }
            for row in found.answered
        ],
        "provider_bills": [
            {
                "provider": bill.provider,
                "calls": bill.calls,
                "our_cost_usd": bill.ours_usd,
                "provider_cost_usd": bill.theirs_usd,
                "disagreeing_calls": bill.disagreeing,
            }
            for bill in found.billed
        ],
        "unpriced": [
            {"provider": p.provider, "model": p.model, "calls": p.calls, "reason": p.problem}
            for p in found.unpriced
        ],
        "remarks": list(remarks(found)),
    }
