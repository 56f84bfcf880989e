"""What a selection's answers cost, and what the same tokens would have at one price or one model."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from harness.pricing import PriceBook, money_usd
from harness.pricing.breakdown import CostBreakdown, ModelRef, breakdown_of
from harness.pricing.columns import CostColumn, UsageColumns
from harness.records import Role
from harness.strategies.attempts import Attempts, Recorded
from harness.strategies.repricing import AtModel, Repricing, Units


def run_cost(recorded: Recorded, book: PriceBook, *, also: Sequence[ModelRef] = ()) -> CostBreakdown:
    """Take the cost of recorded requests apart, as `pricing.cost_breakdown` does for planned ones.

    Args:
        recorded: the attempts.
        book: prices naive figure and alternatives, at each call's own time and terms.
        also: models to compare with besides those that were used.

    Raises:
        UnpricedModelError: a model in `also` has no price.
    """
    for ref in also:
        book.require(ref.provider, ref.model, local=ref.local)
    whole = np.zeros(len(recorded.keys), dtype=np.intp)
    repricing = Repricing(recorded, book, whole)
    return breakdown_from(repricing, repricing.at_each(also), book)


def breakdown_from(repricing: Repricing, at_models: Sequence[AtModel], book: PriceBook) -> CostBreakdown:
    """The breakdown of requests that have been priced at every model."""
    recorded = repricing.recorded
    answering = recorded.answering
    drafts = [own for own in answering if own.is_draft]
    repairs = [own for own in answering if own.role is Role.REPAIR]
    n_compared = int(recorded.known.sum())
    return breakdown_of(
        n_requests=recorded.requests,
        n_compared=n_compared,
        draft_cost_usd=_sum_or_none(drafts),
        repair_cost_usd=_sum_or_none(repairs) if repairs else None,
        known_cost_usd=_known_sum(answering) if any(own.paid.known.any() for own in answering) else None,
        unpriced_calls=sum(int((~own.paid.known).sum()) for own in answering),
        compared_cost_usd=usd_of(repricing.paid),
        naive_cost_usd=_naive_cost_usd(recorded, book) if n_compared else None,
        at_models={own.ref: _whole(own) if n_compared else None for own in at_models},
        draft_refs=frozenset(own.ref for own in drafts),
        mixed_providers=_mixed(recorded),
    )


def usd_of(units: Units) -> Decimal:
    """The exact sum of whole units of 1e-10 USD."""
    return CostColumn(units, np.ones(len(units), dtype=np.bool_)).total_usd()


def _whole(own: AtModel) -> Decimal | None:
    if own.draft is None or own.repair is None:
        return None
    return money_usd(usd_of(own.draft) + usd_of(own.repair))


def _known_sum(attempts: Sequence[Attempts]) -> Decimal:
    return money_usd(sum((own.paid.total_usd() for own in attempts), Decimal(0)))


def _sum_or_none(attempts: Sequence[Attempts]) -> Decimal | None:
    return _known_sum(attempts) if all(own.paid.known.all() for own in attempts) else None


def _naive_cost_usd(recorded: Recorded, book: PriceBook) -> Decimal | None:
    """All tokens of each compared request at the price of its first draft; None where one has none."""
    drafts = [own for own in recorded.answering if own.is_draft]
    which, when = _outermost(drafts, len(recorded.keys), first=True)
    if (which[recorded.known] < 0).any():
        return None
    sums = _token_sums(recorded)
    total = Decimal(0)
    for place, own in enumerate(drafts):
        rows = np.flatnonzero(recorded.known & (which == place))
        if not len(rows):
            continue
        usage = UsageColumns(**{name: column[rows] for name, column in sums.items()})
        found = own.usage_at_prices(book, usage, when[rows])
        if not found.known.all():
            return None
        total += found.total_usd()
    return money_usd(total)


def _token_sums(recorded: Recorded) -> dict[str, NDArray[np.int64]]:
    """Tokens of each request over all its attempts; kinds that nobody used are left out."""
    sums: dict[str, NDArray[np.int64]] = {}
    for own in recorded.answering:
        for name in UsageColumns.__dataclass_fields__:
            column = getattr(own.usage, name)
            if column is None:
                continue
            weights = np.ma.filled(column, 0)
            added = np.bincount(own.request, weights=weights, minlength=len(recorded.keys))
            sums[name] = sums.get(name, 0) + added.astype(np.int64)
    return sums


def _outermost(
    attempts: Sequence[Attempts], n: int, *, first: bool
) -> tuple[NDArray[np.intp], NDArray[np.datetime64]]:
    """Which of the blocks holds each request's first (or last) attempt, -1 for none; and its moment."""
    which = np.full(n, -1, dtype=np.intp)
    when = np.full(n, np.iinfo(np.int64).max if first else np.iinfo(np.int64).min)
    for place, own in enumerate(attempts):
        at = own.at.astype("datetime64[us]").astype(np.int64)
        best = when.copy()
        (np.minimum if first else np.maximum).at(best, own.request, at)
        fresh = best < when if first else best >= when
        asked = np.zeros(n, dtype=np.bool_)
        asked[own.request] = True
        fresh = asked & (fresh | (which < 0))
        which[fresh], when[fresh] = place, best[fresh]
    return which, when.astype("datetime64[us]")


def _mixed(recorded: Recorded) -> bool | None:
    """Some request repaired elsewhere than it drafted, by each role's last attempt; None without a pair."""
    n = len(recorded.keys)
    last = []
    for wanted in (True, False):
        own = [attempts for attempts in recorded.answering if attempts.is_draft is wanted]
        names = {name: code for code, name in enumerate(sorted({ref.provider for ref in recorded.refs}))}
        codes = np.array([*(names[attempts.ref.provider] for attempts in own), -1])
        last.append(codes[_outermost(own, n, first=False)[0]])
    both = (last[0] >= 0) & (last[1] >= 0)
    return bool((last[0] != last[1])[both].any()) if both.any() else None
