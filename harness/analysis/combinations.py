"""Means and ratios of many sums of the same columns: one pass over the rows serves every combination."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.moments import Moments

_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """Sums of K columns over n rows, and of the products of their sums by cluster.

    Attributes:
        n: rows.
        clusters: groups of rows that count as one; rows themselves where no case repeats.
        sums: shape (K,).
        products: sum over clusters of the outer product, shape (K, K).
    """

    n: int
    clusters: int
    sums: NDArray[np.float64]
    products: NDArray[np.float64]

    def moments(self, u: Mapping[int, float], v: Mapping[int, float] | None = None) -> Moments:
        """The moments of a weighted sum of columns over another one.

        Args:
            u: column -> weight in the numerator.
            v: column -> weight in the denominator; the last column (ones, for a mean) where left out.
        """
        size = len(self.sums)
        below = {size - 1: 1.0} if v is None else v
        top, bottom = (np.zeros(size) for _ in range(2))
        top[list(u)], bottom[list(below)] = list(u.values()), list(below.values())
        return Moments(
            n=self.n,
            clusters=self.clusters,
            u=float(top @ self.sums),
            v=float(bottom @ self.sums),
            uu=float(top @ self.products @ top),
            uv=float(top @ self.products @ bottom),
            vv=float(bottom @ self.products @ bottom),
        )


def products_of(columns: list[NDArray[np.float64]], counts: NDArray[np.float64] | None = None) -> Products:
    """The sums and products of columns that stand one row a cluster; a last column of row counts is added.

    Args:
        columns: shape (clusters,) each: sums over the rows of the cluster.
        counts: rows of each cluster; None is one each. Clusters without rows do not count.
    """
    size = len(columns[0]) if columns else 0
    rows = np.ones(size) if counts is None else counts
    held = np.flatnonzero(rows > 0)
    products = np.zeros((len(columns) + 1, len(columns) + 1))
    sums = np.zeros(len(columns) + 1)
    for start in range(0, len(held), _ROWS_AT_ONCE):
        own = held[start : start + _ROWS_AT_ONCE]
        part = np.stack([*(column[own] for column in columns), rows[own]])
        products += part @ part.T
        sums += part.sum(axis=1)
    return Products(n=int(rows.sum()), clusters=len(held), sums=sums, products=products)
