# ruff: noqa: S608 - constant SQL, values are bound
"""What a mix of models really cost against the same recorded tokens with the draft model repairing too."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from harness.figures.selection import Rows
from harness.figures.spending import spent_sql
from harness.pricing import PriceBook, money_usd
from harness.pricing.book import DECLARED
from harness.pricing.columns import UsageColumns, cost_column
from harness.records import Role

_COUNTS = tuple(UsageColumns.__dataclass_fields__)
_TOTALS = ("input_tokens", "output_tokens")
_UNKNOWN = "cost_usd IS NULL OR input_tokens IS NULL OR output_tokens IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSaving:
    """What requests cost as they were routed, and what they would have at the draft model alone.

    Attributes:
        requests: compared: every attempt has a known cost and known tokens.
        actual_usd: what they cost.
        single_provider_usd: the same tokens with the draft model doing the repairs as well.
        saving_ratio: 1 - actual / single; negative when the mix costs more.
        reason: why there is no figure, else None.
    """

    requests: int
    actual_usd: Decimal | None
    single_provider_usd: Decimal | None
    saving_ratio: float | None
    reason: str | None = None


def route_saving(rows: Rows, book: PriceBook) -> RouteSaving:
    """The saving of a selection's routes; the arithmetic is that of `harness cost --run`."""
    spent = f"""(SELECT hash(run_id, request_id) AS own, provider, model, price_context, spent_at, cost_usd,
            {", ".join(_COUNTS)}, coalesce(price_source = '{DECLARED}', FALSE) AS local,
            role <> '{Role.REPAIR}' AS is_draft
        FROM ({spent_sql(rows)}) WHERE role <> '{Role.JUDGE}')"""
    unknown = rows.kept(f"SELECT DISTINCT own FROM {spent} WHERE {_UNKNOWN}")
    # not by a join: that would be built on the many attempts rather than on the few unknown ones
    known = f"own NOT IN (FROM {unknown.table})"
    largest = ", ".join(f"max({name}) AS {name}" for name in _COUNTS)
    groups = rows.dicts(
        f"""SELECT provider, model, local, price_context, {known} AS compared,
            bool_or(is_draft) AS is_draft, sum(cost_usd) AS usd, {largest}
        FROM {spent} GROUP BY ALL"""
    )
    if not any(group["compared"] for group in groups):
        return _none("no request has a known cost and known tokens")
    models = {_model(group) for group in groups}
    if len(models) == 1:
        return _none("one model did all the drafts and repairs")
    drafted = {_model(group) for group in groups if group["is_draft"]}
    compared = [group for group in groups if group["compared"]]
    attempts = f"(FROM {spent} WHERE {known})"
    single = _at_model(rows, attempts, compared, book, drafted.pop()) if len(drafted) == 1 else None
    if not single:
        return _none("the drafts came from several models, or the draft model has no price")
    actual = sum((group["usd"] for group in compared), Decimal(0))
    ((requests,),) = rows.rows(f"SELECT count(DISTINCT own) FROM {attempts}")
    return RouteSaving(
        requests=requests,
        actual_usd=actual,
        single_provider_usd=single,
        saving_ratio=float(1 - actual / single),
    )


def _model(group: dict[str, Any]) -> tuple[str, str, bool]:
    return group["provider"], group["model"], group["local"]


def _at_model(
    rows: Rows,
    attempts: str,
    groups: Sequence[dict[str, Any]],
    book: PriceBook,
    draft: tuple[str, str, bool],
) -> Decimal | None:
    """What the attempts would have cost at the draft model; None where one has no price there.

    Its own are priced anew too: the book may hold other prices than they were recorded at.
    """
    used = [name for name in _COUNTS if name in _TOTALS or any(group[name] for group in groups)]
    columns = ", ".join(f"{name}::INTEGER AS {name}" for name in used)
    total, (provider, model, local) = Decimal(0), draft
    for context in {group["price_context"] for group in groups}:
        table: dict[str, Any] = rows.view.columns(
            f"{rows.ctes} SELECT {columns}, spent_at FROM {attempts} WHERE price_context = ?",
            [*rows.values, context],
        )
        moments = np.ma.filled(np.ma.asarray(table["spent_at"]), np.datetime64("NaT"))
        usage = UsageColumns(**{name: table[name] for name in used})
        costs = cost_column(book, provider, model, usage, moments, context=context, local=local)
        if not costs.known.all():
            return None
        total += costs.total_usd()
    return money_usd(total)


def _none(reason: str) -> RouteSaving:
    return RouteSaving(
        requests=0, actual_usd=None, single_provider_usd=None, saving_ratio=None, reason=reason
    )
