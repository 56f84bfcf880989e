"""The rows of the summary's tables, as text: the terminal, the Markdown and the HTML show the same."""

from typing import TYPE_CHECKING

from harness.analysis.estimate import Estimate
from harness.analysis.percentile import min_requests
from harness.figures.declaration import Figure, Quantile
from harness.records import ProviderMode, Tier
from harness.report import wording

if TYPE_CHECKING:  # a gate shows tables too, and needs no prices
    from harness.figures.spending import CostRow
    from harness.figures.summary import ErrorGroup, RunSummary

FIGURE_HEAD = ("figure", "value", "95% interval", "n")
COST_HEAD = ("role", "provider / model", "calls", "tokens in", "tokens out", "cost", "per request")
ERROR_HEAD = ("failed", "status", "HTTP", "kind", "example")

_NOT_LIVE = {
    ProviderMode.EMULATED: "EMULATED providers: latencies, tokens and costs are simulated",
    ProviderMode.FIXTURES: "FIXTURES: no model was asked",
    ProviderMode.MIXED: "MIXED provider modes: these figures stand for no single source",
}


def mode_banner(mode: ProviderMode | None) -> str | None:
    """What must be said of figures that are not live; None for live ones."""
    if mode is ProviderMode.LIVE:
        return None
    if mode is None:
        return "provider mode UNKNOWN: the target does not say what answered"
    return _NOT_LIVE[mode]


def is_told(figure: Figure, estimate: Estimate) -> bool:
    """False for an optional figure of which nothing is known: no table has a line for it."""
    return not figure.optional or estimate.value is not None or estimate.over_limit


def value_cell(figure: Figure, estimate: Estimate, digits: int | None = None) -> str:
    """The figure in its unit, or why there is none."""
    if (
        isinstance(figure.rule, Quantile)
        and estimate.value is None
        and estimate.n
        and not estimate.over_limit
    ):
        return f"needs {min_requests(figure.rule.q)} requests"
    return wording.estimate(estimate, figure.unit, digits)


def n_cell(estimate: Estimate) -> str:
    """`300`, `298 (+2 unknown)`."""
    return f"{estimate.n:,}" + (f" (+{estimate.unknown:,} unknown)" if estimate.unknown else "")


def figure_rows(summary: "RunSummary") -> list[tuple[str, ...]]:
    """(figure, value, interval, n) of a run: the declared figures, then what is merely counted."""
    rows: list[tuple[str, ...]] = [
        (figure.title, value_cell(figure, found), wording.bounds(found, figure.unit), n_cell(found))
        for figure, found in summary.measured
        if is_told(figure, found)
    ]
    tiers = " / ".join(f"{summary.tiers[tier]:,}" for tier in Tier)
    rows.append(("tiers high / medium / low", tiers, "", f"{summary.ok - summary.ungraded:,}"))
    if summary.ungraded:
        rows.append(("ungraded answers", f"{summary.ungraded:,}", "", f"{summary.ok:,}"))
    saving = summary.saving
    if saving.reason is None:
        saved = wording.percent(saving.saving_ratio)
        rows.append(("saved by the hybrid route", saved, "", f"{saving.requests:,}"))
    for name, count in (("missing", summary.telemetry_missing), ("unreadable", summary.telemetry_broken)):
        if count:
            rows.append((f"answers with {name} telemetry", f"{count:,}", "", f"{summary.requests:,}"))
    return rows


def cost_rows(summary: "RunSummary") -> list[tuple[str, ...]]:
    """The cost table, the total last; empty when nothing was spent."""
    spent = summary.spending.rows
    if not spent:
        return []
    return [*(_cost_cells(row, summary.requests) for row in spent), _total_cells(summary)]


def _cost_cells(row: "CostRow", requests: int) -> tuple[str, ...]:
    """A line of the cost table; `per request` is over all requests, unknown where a call's cost is."""
    unpriced = f" ({row.unpriced_calls:,} unpriced)" if row.unpriced_calls else ""
    mean = None if row.cost_usd is None or row.unpriced_calls or not requests else row.cost_usd / requests
    return (
        row.role,
        f"{row.provider} / {row.model}",
        f"{row.calls:,}{unpriced}",
        _count(row.input_tokens),
        _count(row.output_tokens),
        wording.usd(row.cost_usd, 4),
        wording.usd(mean),
    )


def _count(tokens: int | None) -> str:
    return wording.UNKNOWN if tokens is None else f"{tokens:,}"


def _total_cells(summary: "RunSummary") -> tuple[str, ...]:
    """The last line of the cost table; it says what it leaves out, and its mean is of priced requests."""
    spending = summary.spending
    note = f" ({spending.exclusion})" if spending.exclusion else ""
    total = spending.total_usd
    mean = None if total is None or not summary.requests else total / summary.requests
    if spending.exclusion:
        mean = spending.per_request_usd
    return (f"total{note}", "", "", "", "", wording.usd(total, 4), wording.usd(mean))


def error_cells(group: "ErrorGroup") -> tuple[str, ...]:
    """A line of the error table."""
    return (
        f"{group.count:,}",
        group.status.value,
        str(group.http_status or wording.UNKNOWN),
        group.kind.value if group.kind is not None else wording.UNKNOWN,
        (group.example or "")[:120],
    )


_ONE_TOKEN = 1.2
"""So many tokens a piece are one: usage counts a few that are no text."""


def gap_note(summary: "RunSummary") -> str | None:
    """Gaps are between the pieces that arrived; says so where a piece holds several tokens."""
    each = summary.figures["tokens_per_chunk"].value
    if each is None or each <= _ONE_TOKEN:
        return None
    return f"inter-token latency is the gap between chunks of {each:.1f} tokens"
