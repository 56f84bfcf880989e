"""Recorded attempts at other models' prices: totals to the digit, and by case for intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.strategies.attempts import Recorded

Units = NDArray[np.int64]
"""Whole units of 1e-10 USD, one a cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtModel:
    """What the drafts, and what the repairs, would cost at one model; None where some call has no price.

    Attributes:
        alone: of the model's own attempts that were their request's only one, in units of 1e-10 USD.
    """

    ref: ModelRef
    draft: Units | None
    repair: Units | None
    alone: int | None


class Repricing:
    """The fully known requests of a selection at the prices of any model.

    Args:
        recorded: all attempts.
        book: prices each at its own moment and terms.
        clusters: case of each request, 0 and up, shape (requests,); None takes each request for itself.
    """

    def __init__(self, recorded: Recorded, book: PriceBook, clusters: NDArray[np.intp] | None = None) -> None:
        self.recorded = recorded
        self._book = book
        self._clusters = clusters
        self._known = recorded.known
        self._rows = [self._known[own.request] for own in recorded.answering]

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """Compared requests of each cluster."""
        return self._by_cluster(self._known.astype(np.int64)).astype(np.float64)

    @cached_property
    def paid(self) -> Units:
        """What each cluster's compared requests really cost."""
        total = np.zeros(len(self._known), dtype=np.int64)
        for own, rows in zip(self.recorded.answering, self._rows, strict=True):
            total += self._by_request(own.request[rows], own.paid.units[rows])
        return self._by_cluster(total)

    def at(self, ref: ModelRef) -> AtModel:
        """The same tokens at one model's prices."""
        found: dict[bool, Units | None] = {True: None, False: None}
        totals = {is_draft: np.zeros(len(self._known), dtype=np.int64) for is_draft in (True, False)}
        priced = {True: True, False: True}
        alone: int | None = 0
        for own, rows in zip(self.recorded.answering, self._rows, strict=True):
            cost = own.at_prices(self._book, ref)
            priced[own.is_draft] &= bool(cost.known[rows].all())
            totals[own.is_draft] += self._by_request(own.request[rows], cost.units[rows])
            if own.ref == ref and alone is not None:
                single = rows & self.recorded.alone[own.request]
                alone = alone + int(cost.units[single].sum()) if cost.known[single].all() else None
        for is_draft, total in totals.items():
            if priced[is_draft]:
                found[is_draft] = self._by_cluster(total)
        return AtModel(ref=ref, draft=found[True], repair=found[False], alone=alone)

    def at_each(self, also: Sequence[ModelRef] = ()) -> list[AtModel]:
        """At every model that was used, and the others asked for."""
        return [self.at(ref) for ref in dict.fromkeys([*self.recorded.refs, *also])]

    def _by_request(self, request: NDArray[np.intp], units: Units) -> Units:
        # exact: a request costs less than 2^53 units, 900,000 USD
        return np.bincount(request, weights=units, minlength=len(self._known)).astype(np.int64)

    def _by_cluster(self, units: Units) -> Units:
        if self._clusters is None:
            return units
        size = int(self._clusters.max(initial=-1)) + 1
        total = np.zeros(size, dtype=np.int64)
        np.add.at(total, self._clusters, units)
        return total
