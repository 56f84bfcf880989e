"""What a selection's answers cost, and what the same tokens would have at one price or one model."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from harness.pricing import PriceBook, money_usd
from harness.pricing.breakdown import CostBreakdown, ModelRef, breakdown_of
from harness.pricing.columns import CostColumn, UsageColumns
from harness.pricing.rates import MONEY_UNIT_USD
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
        naive_cost_usd=_naive_cost_usd(recorded, at_models, book) if n_compared else None,
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


def _naive_cost_usd(recorded: Recorded, at_models: Sequence[AtModel], book: PriceBook) -> Decimal | None:
    """All tokens of each compared request at the price of its first draft; None where one has none."""
    drafts = [own for own in recorded.answering if own.is_draft]
    if any(
        (recorded.known & recorded.alone)[own.request].any() for own in recorded.answering if not own.is_draft
    ):
        return None  # a repair without a draft
    own_models = set(recorded.refs)
    alone = [found.alone for found in at_models if found.ref in own_models]
    if any(units is None for units in alone):
        return None
    total = sum(int(units or 0) for units in alone) * MONEY_UNIT_USD
    several = np.flatnonzero(recorded.known & ~recorded.alone)
    places = np.full(len(recorded.keys), -1, dtype=np.intp)
    places[several] = np.arange(len(several))
    which, when = _outermost(drafts, places, len(several), first=True)
    if (which < 0).any():
        return None
    sums = _token_sums(recorded, places, len(several))
    for place, own in enumerate(drafts):
        rows = np.flatnonzero(which == place)
        usage = UsageColumns(**{name: column[rows] for name, column in sums.items()})
        found = own.usage_at_prices(book, usage, when[rows])
        if not found.known.all():
            return None
        total += found.total_usd()
    return money_usd(total)


def _token_sums(recorded: Recorded, places: NDArray[np.intp], n: int) -> dict[str, NDArray[np.int64]]:
    """Tokens of some requests (at their places, -1 for the others) over all their attempts."""
    sums: dict[str, NDArray[np.int64]] = {}
    for own in recorded.answering:
        at = places[own.request]
        asked = at >= 0
        for name in UsageColumns.__dataclass_fields__:
            column = getattr(own.usage, name)
            if column is not None:
                added = np.bincount(at[asked], weights=np.ma.filled(column, 0)[asked], minlength=n)
                sums[name] = sums.get(name, np.zeros(n, np.int64)) + added.astype(np.int64)
    return sums


def _outermost(
    attempts: Sequence[Attempts], places: NDArray[np.intp], n: int, *, first: bool
) -> tuple[NDArray[np.intp], NDArray[np.datetime64]]:
    """Which of the blocks holds each request's first (or last) attempt, -1 for none; and its moment.

    Args:
        attempts: the blocks.
        places: of each request among the n looked at, -1 for the others.
        n: how many are looked at.
        first: or the last.
    """
    which = np.full(n, -1, dtype=np.intp)
    when = np.full(n, np.iinfo(np.int64).max if first else np.iinfo(np.int64).min)
    for place, own in enumerate(attempts):
        request = places[own.request]
        looked_at = request >= 0
        request, at = request[looked_at], own.at[looked_at].astype("datetime64[us]").astype(np.int64)
        best = when.copy()
        (np.minimum if first else np.maximum).at(best, request, at)
        fresh = best < when if first else best >= when
        asked = np.zeros(n, dtype=np.bool_)
        asked[request] = True
        fresh = asked & (fresh | (which < 0))
        which[fresh], when[fresh] = place, best[fresh]
    return which, when.astype("datetime64[us]")


def _mixed(recorded: Recorded) -> bool | None:
    """Some request repaired elsewhere than it drafted, by each role's last attempt; None without a pair."""
    blocks = [[own for own in recorded.answering if own.is_draft is wanted] for wanted in (True, False)]
    asked = np.zeros((2, len(recorded.keys)), dtype=np.bool_)
    for place, own in ((place, own) for place, side in enumerate(blocks) for own in side):
        asked[place, own.request] = True
    both = np.flatnonzero(asked.all(axis=0))
    if not len(both):
        return None
    places = np.full(len(recorded.keys), -1, dtype=np.intp)
    places[both] = np.arange(len(both))
    names = {name: code for code, name in enumerate(sorted({ref.provider for ref in recorded.refs}))}
    last = []
    for side in blocks:
        codes = np.array([names[attempts.ref.provider] for attempts in side])
        last.append(codes[_outermost(side, places, len(both), first=False)[0]])
    return bool((last[0] != last[1]).any())
