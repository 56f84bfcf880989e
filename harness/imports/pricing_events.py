"""Our own events priced where they tell tokens and no cost: at their own moment, the source beside it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from harness.pricing import PriceBook
from harness.providers.reading.values import as_count_or_none
from harness.records import Event, Usage

_PARTS = ("input", "cache_read", "cache_write", "output")


def pricing_with(book: PriceBook) -> Callable[[Event], Event]:
    """What gives an event its costs by a book; a told cost stands."""

    def priced(event: Event) -> Event:
        payload = event.payload
        if event.ts is None or payload.get("cost_usd") is not None or payload.get("draft_model") is None:
            return event
        costs: dict[str, Any] = {}
        for role in ("draft", "repair"):
            if payload.get(f"{role}_source") is None and role == "repair":
                continue
            told = payload.get(f"{role}_cost_usd")
            if told is None:
                priced_role = _role(book, event, role)
                if priced_role is None:
                    return event
                costs[f"{role}_cost_usd"], costs[f"{role}_price_source"] = priced_role
        total = Decimal(0)
        for role in ("draft", "repair"):
            part = costs.get(f"{role}_cost_usd", payload.get(f"{role}_cost_usd"))
            try:
                total += Decimal(str(part)) if part is not None else 0
            except ArithmeticError:
                return event
        return replace(event, payload={**payload, **costs, "cost_usd": total})

    return priced


def _role(book: PriceBook, event: Event, role: str) -> tuple[Decimal, str] | None:
    """One role's cost and the price source; None where it is unknown."""
    source, model = event.payload.get(f"{role}_source"), event.payload.get(f"{role}_model")
    counts = {part: as_count_or_none(event.payload.get(f"{role}_{part}_tokens")) for part in _PARTS}
    total, output = counts["input"], counts["output"]
    if (
        event.ts is None
        or not (isinstance(source, str) and isinstance(model, str))
        or total is None
        or output is None
    ):
        return None
    try:
        usage = Usage(
            input_tokens=total,
            output_tokens=output,
            cache_read_tokens=counts["cache_read"] or 0,
            cache_write_5m_tokens=counts["cache_write"] or 0,
        )
    except ValueError:
        return None
    found = book.price(source, model, usage, at=event.ts, itemised=False)
    if found.cost_usd is None:
        return None
    return found.cost_usd, " ".join(filter(None, (found.price_source, found.price_version)))
