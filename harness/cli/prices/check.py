"""Which models a configuration would call, and whether each has a price."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.orchestration import resolve_routing, resolve_strategy
from harness.orchestration.routing import AUTO, Route
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.providers.registry import default_model


def checked_models(
    book: PriceBook,
    at: datetime,
    *,
    config: Path | None,
    strategies: Sequence[str],
    also: Sequence[ModelRef] = (),
) -> list[dict[str, Any]]:
    """One row a model: who uses it, what it is priced as, or why it has no price.

    Raises:
        ConfigError: the configuration or a strategy is wrong.
    """
    users: dict[tuple[str, str], list[str]] = {}
    routes: dict[tuple[str, str], Route] = {}
    for user, route in _configured(config, strategies):
        kind = route.settings.kind
        model = default_model(kind) if route.model == AUTO else route.model
        users.setdefault((route.provider, model), []).append(user)
        routes[route.provider, model] = route
    for ref in also:
        users.setdefault((ref.provider, ref.model), []).append("--model")
    local = {key: key in routes and routes[key].settings.local for key in users}
    return [_row(book, at, *key, users[key], local=local[key]) for key in users]


def _configured(config: Path | None, strategies: Sequence[str]) -> Iterator[tuple[str, Route]]:
    routing = resolve_routing(os.environ, config_path=config)
    yield "draft_graph", routing.draft
    yield "repair_graph", routing.repair
    yield "suggest_options", routing.suggest
    named = [*strategies, *([routing.strategy] if routing.strategy else [])]
    for name in dict.fromkeys(named):
        for route in resolve_strategy(routing, name).routes:
            yield f"strategy {name}", route


def _row(
    book: PriceBook, at: datetime, provider: str, model: str, users: Sequence[str], *, local: bool
) -> dict[str, Any]:
    quote = book.quote(provider, model, at=at, local=local)
    priced = quote is not None and quote.card.input is not None and quote.card.output is not None
    return {
        "provider": provider,
        "model": model,
        "used_by": list(dict.fromkeys(users)),
        "priced": priced,
        "priced_as": quote.priced_as if quote else None,
        "price_source": quote.price_source if quote else None,
        "lent_by": quote.lent_by if quote else None,
        "moving": quote.moving if quote else None,
        "start_date": quote.start_date.isoformat() if quote and quote.start_date else None,
        "unpriced_because": None if priced else book.unpriced_because(provider, model, at=at),
    }
