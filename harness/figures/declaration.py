"""What a figure is, as data: every table, card, report, rule and limit reads the same declaration."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis.estimate import Estimate
    from harness.figures.selection import Rows


class Unit(StrEnum):
    """What a figure is counted in; how a unit is shown stands in `harness.report.wording` alone."""

    MS = "ms"
    USD = "usd"
    RATIO = "ratio"
    SCORE = "score"
    PER_S = "per_s"
    TOKENS_PER_S = "tokens_per_s"
    COUNT = "count"


class Better(StrEnum):
    """Which direction is an improvement."""

    LESS = "less"
    MORE = "more"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """A percentile of a duration.

    Attributes:
        ms: SQL of the duration over `counted`; None where a request has none.
        q: strictly between 0 and 1.
        of: SQL condition of the answers that take part; those without the duration are unknown.
        failures_rank: a failed request takes part too, and is slower than every answer.
    """

    ms: str
    q: float
    of: str = "status = 'ok'"
    failures_rank: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of some rows fulfil a condition.

    Attributes:
        hit: SQL condition over `counted`.
        of: SQL condition of the rows that take part.
    """

    hit: str
    of: str = "TRUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Mean of a value a row.

    Attributes:
        value: SQL over `counted`; None where unknown.
        of: SQL condition of the rows that should have one; those without are unknown and counted.
        least: what no value can be below.
        score: the values lie in 0..1, and so does the interval.
    """

    value: str
    of: str = "TRUE"
    least: float | None = None
    score: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A sum over another sum.

    Attributes:
        top: SQL over `counted`; None leaves the row out.
        bottom: likewise.
        of: SQL condition of the rows that should have both.
    """

    top: str
    bottom: str
    of: str = "TRUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """A figure of its own kind: a function of rows, a key of `grouping.GROUPS` and confidence."""

    estimates: Callable[["Rows", str, float], dict[str, "Estimate"]]


Rule = Quantile | Share | Mean | Ratio | Custom


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        name: stable, for machines: `p95_latency`. The JSON key, the gate's check, an alert's metric.
        title: for people: `latency p95`.
        unit: of value and interval.
        better: which direction is an improvement.
        rows: which rows it rests on, in words.
        source: where the values come from, in words.
        rule: how it is worked out.
        optional: left out of tables where nothing is known of it.
    """

    name: str
    title: str
    unit: Unit
    better: Better
    rows: str
    source: str
    rule: Rule
    optional: bool = False
