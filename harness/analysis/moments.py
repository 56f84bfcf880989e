"""Means, shares and ratios from sums over clusters: one formula for all of them, whoever added up the sums.

A cluster is a case where cases repeat, else a single row. Everything an interval needs of n rows are seven
sums, so that a database can add up ten million rows and a test ten.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.distributions import normal_quantile, t_quantile
from harness.analysis.estimate import DEFAULT_CONFIDENCE, Estimate, no_estimate

_ROUNDING = 1e-12
"""Squares smaller than this share of what they are the difference of are rounding, and so zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over clusters g of u_g and v_g, each itself a sum over the rows of the cluster.

    For a mean, u is the value and v is 1 of each row; for a ratio, numerator and denominator.

    Attributes:
        n: rows with a known value.
        clusters: how many clusters they come from.
        u: sum of u_g.
        v: sum of v_g.
        uu: sum of u_g^2.
        uv: sum of u_g v_g.
        vv: sum of v_g^2.
        unknown: rows that should have told a value and did not.
    """

    n: int
    clusters: int
    u: float
    v: float
    uu: float
    uv: float
    vv: float
    unknown: int = 0

    def __add__(self, other: "Moments") -> "Moments":
        """The sums of both, of clusters that they do not share."""
        return Moments(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        )

    @property
    def repeats(self) -> bool:
        """Some cluster has several rows."""
        return self.clusters < self.n

    @property
    def ratio(self) -> float | None:
        """U / v: the mean, share or ratio; None for no rows."""
        return self.u / self.v if self.n and self.v > 0 else None

    @property
    def error(self) -> float | None:
        """Cluster-robust standard error of the ratio; None below two clusters, where no spread can be seen.

        sqrt(G / (G - 1) sum_g (u_g - R v_g)^2) / v over G clusters: linearised, and exact for a mean.

        Source: Cochran, Sampling Techniques (1977), section 2.11; Cameron and Miller (2015), section II.
        """
        ratio = self.ratio
        if ratio is None or self.clusters < 2:
            return None
        whole = self.uu + ratio * ratio * self.vv
        squares = whole - 2.0 * ratio * self.uv
        if squares <= _ROUNDING * abs(whole):
            return 0.0
        return math.sqrt(self.clusters / (self.clusters - 1) * squares) / self.v


NO_MOMENTS = Moments(n=0, clusters=0, u=0.0, v=0.0, uu=0.0, uv=0.0, vv=0.0)


def moments_of(
    values: ArrayLike,
    clusters: NDArray[np.intp] | None = None,
    *,
    of: ArrayLike | None = None,
    unknown: int = 0,
) -> Moments:
    """The sums of values in memory.

    Args:
        values: shape (n,), finite.
        clusters: number of each row's cluster, shape (n,), >= 0; None for independent rows.
        of: denominators, shape (n,); None counts each row as one.
        unknown: rows beside them without a value.

    Raises:
        ValueError: values that are no sequence of finite numbers.
    """
    u = np.asarray(values, dtype=np.float64)
    v = np.ones_like(u) if of is None else np.asarray(of, dtype=np.float64)
    if u.ndim != 1 or not np.isfinite(u).all() or v.shape != u.shape:
        raise ValueError("values must be one sequence of finite numbers")
    n = int(u.size)
    if clusters is not None:
        if clusters.shape != u.shape:
            raise ValueError(f"{n} values but {clusters.size} clusters")
        held = np.bincount(clusters) > 0
        u = np.asarray(np.bincount(clusters, weights=u)[held], dtype=np.float64)
        v = np.asarray(np.bincount(clusters, weights=v)[held], dtype=np.float64)
    return Moments(
        n=n,
        clusters=int(u.size),
        u=math.fsum(u),
        v=math.fsum(v),
        uu=math.fsum(u * u),
        uv=math.fsum(u * v),
        vv=math.fsum(v * v),
        unknown=unknown,
    )


def numbered(names: Sequence[object]) -> NDArray[np.intp]:
    """Each name as the number of its first appearance: clusters for `moments_of`."""
    order: dict[object, int] = {}
    return np.fromiter(
        (order.setdefault(name, len(order)) for name in names), dtype=np.intp, count=len(names)
    )


def mean_estimate(
    moments: Moments, *, confidence: float = DEFAULT_CONFIDENCE, least: float | None = None
) -> Estimate:
    """Mean, or ratio, with its cluster-robust t interval on G - 1 degrees of freedom.

    Args:
        moments: the sums.
        confidence: 0..1.
        least: what no value can be below (0 for money); the lower bound ends there.

    Returns:
        None for no rows; bounds None below two clusters.

    Source: Miller, Adding Error Bars to Evals (2024), section 2.2.
    """
    method = "cluster_t" if moments.repeats else "t"
    value, error = moments.ratio, moments.error
    if value is None:
        return no_estimate(method, unknown=moments.unknown, confidence=confidence)
    half = None if error is None else t_quantile(moments.clusters - 1, 0.5 + confidence / 2.0) * error
    low = None if half is None else value - half
    return Estimate(
        value=value,
        low=low if low is None or least is None else max(least, low),
        high=None if half is None else value + half,
        confidence=confidence,
        method=method,
        n=moments.n,
        unknown=moments.unknown,
    )


def share_estimate(moments: Moments, *, confidence: float = DEFAULT_CONFIDENCE) -> Estimate:
    """Share of hits (0 or 1 a row) with Wilson's interval at the effective sample size.

    Plain Wilson for independent rows. Where clusters repeat, n_eff = p (1 - p) / se^2 with the cluster-robust
    error, at most n, and the t quantile stands for the normal one. Where all rows agree no spread can be
    seen and the clusters themselves are counted.

    Returns:
        None for no rows; bounds None below two clusters of several rows.

    Source: Wilson (1927); Korn and Graubard (1998) for the effective sample size.
    """
    if not moments.repeats:
        return _wilson(
            moments, float(moments.n), normal_quantile(0.5 + confidence / 2.0), "wilson", confidence
        )
    effective = effective_rows(moments)
    return _clustered_wilson(moments, None if effective is None else min(effective, moments.n), confidence)


def score_estimate(moments: Moments, *, confidence: float = DEFAULT_CONFIDENCE) -> Estimate:
    """Mean of scores in 0..1 whose interval stays there: Wilson's form at m (1 - m) / se^2 rows.

    As `share_estimate`, but scores spread less than hits, so that they may tell more than n hits would.
    """
    return _clustered_wilson(moments, effective_rows(moments), confidence)


def effective_rows(moments: Moments) -> float | None:
    """As many independent hits tell as much about the share; None below two clusters.

    Where all rows agree: the number of clusters.
    """
    share, error = moments.ratio, moments.error
    if share is None or error is None:
        return None
    if error == 0.0 or not 0.0 < share < 1.0:
        return float(moments.clusters)
    return share * (1.0 - share) / error**2


def _clustered_wilson(moments: Moments, effective: float | None, confidence: float) -> Estimate:
    method = "cluster_wilson" if moments.repeats else "wilson_effective"
    if effective is None:
        value = moments.ratio
        return (
            no_estimate(method, unknown=moments.unknown, confidence=confidence)
            if value is None
            else Estimate(
                value=value,
                low=None,
                high=None,
                confidence=confidence,
                method=method,
                n=moments.n,
                unknown=moments.unknown,
            )
        )
    quantile = t_quantile(moments.clusters - 1, 0.5 + confidence / 2.0)
    return _wilson(moments, effective, quantile, method, confidence)


def _wilson(moments: Moments, effective: float, quantile: float, method: str, confidence: float) -> Estimate:
    share = moments.ratio
    if share is None:
        return no_estimate(method, unknown=moments.unknown, confidence=confidence)
    share = min(1.0, max(0.0, share))
    scale = 1.0 + quantile**2 / effective
    centre = (share + quantile**2 / (2.0 * effective)) / scale
    half = (
        quantile / scale * math.sqrt(share * (1.0 - share) / effective + quantile**2 / (4.0 * effective**2))
    )
    return Estimate(
        value=share,
        low=0.0 if share == 0.0 else max(0.0, centre - half),
        high=1.0 if share == 1.0 else min(1.0, centre + half),
        confidence=confidence,
        method=method,
        n=moments.n,
        unknown=moments.unknown,
    )


def wilson(successes: int, n: int, confidence: float = DEFAULT_CONFIDENCE) -> Estimate:
    """Wilson's interval of a proportion of independent trials, from the counts alone.

    Raises:
        ValueError: not 0 <= successes <= n.

    Source: Wilson (1927); Brown, Cai and DasGupta (2001).
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    hits = float(successes)
    return share_estimate(
        Moments(n=n, clusters=n, u=hits, v=float(n), uu=hits, uv=hits, vv=float(n)), confidence=confidence
    )
