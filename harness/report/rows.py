"""The rows of the summary's tables, as text: the terminal, the Markdown and the HTML show the same."""

from harness.analysis.interval import Estimate
from harness.records import ProviderMode, Tier
from harness.report import wording
from harness.report.figures import CostRow, ErrorGroup, RunSummary

FIGURE_HEAD = ("figure", "value", "95% interval", "n")
COST_HEAD = ("role", "provider / model", "calls", "tokens in", "tokens out", "cost", "per request")
ERROR_HEAD = ("failed", "status", "HTTP", "kind", "example")

_ONE_TOKEN = 1.2
"""So many tokens a piece are one: usage counts a few that are no text."""

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


def _gap_name(summary: RunSummary) -> str:
    """Gaps are between the pieces that arrived; they are gaps between tokens only where a piece is one."""
    each = summary.tokens_per_chunk
    return (
        "inter-token latency"
        if each is None or each <= _ONE_TOKEN
        else f"gap between chunks of {each:.1f} tokens"
    )


def figure_rows(summary: RunSummary) -> list[tuple[str, ...]]:
    """(figure, value, interval, n) of a run: the rows of every rendering of the summary."""
    rows: list[tuple[str, ...]] = [
        (
            f"latency {figure.quantile.name}",
            wording.quantile(figure.quantile),
            wording.quantile_interval(figure.interval),
            f"{figure.quantile.n:,}",
        )
        for figure in summary.latency
    ]
    for name, quantiles in (
        ("time to first token", summary.ttft),
        ("time to first answer token", summary.first_answer),
        (_gap_name(summary), summary.itl),
    ):
        rows += [(f"{name} {q.name}", wording.quantile(q), "", f"{q.n:,}") for q in quantiles[:2]]
    rate = summary.throughput_rps
    rows.append(_ratio("error ratio", summary.error_ratio, 2))
    rows.append(("throughput", wording.UNKNOWN if rate is None else f"{rate:.2f} /s", "", f"{summary.ok:,}"))
    quality = summary.quality
    tiers = " / ".join(f"{quality.tiers[tier]:,}" for tier in Tier)
    rows.append(("tiers high / medium / low", tiers, "", f"{summary.ok - quality.ungraded:,}"))
    if quality.ungraded:
        rows.append(("ungraded answers", f"{quality.ungraded:,}", "", f"{summary.ok:,}"))
    rows += [
        _ratio("high tier", quality.high),
        _ratio("repaired", quality.repaired),
        _ratio("mixed providers", quality.mixed),
        _ratio("prompt cache hits", quality.cache_hit),
    ]
    cost, saving, late = summary.cost, summary.saving, summary.generator
    interval = wording.usd_interval(cost.per_request_interval)
    rows.append(
        ("cost per request", wording.usd(cost.per_request_usd), interval, f"{cost.priced_requests:,}")
    )
    if saving.reason is None:
        saved = wording.percent(saving.saving_ratio)
        rows.append(("saved by the hybrid route", saved, "", f"{saving.requests:,}"))
    for name, count in (("missing", summary.telemetry_missing), ("unreadable", summary.telemetry_broken)):
        if count:
            rows.append((f"answers with {name} telemetry", f"{count:,}", "", f"{summary.requests:,}"))
    if late.n:
        rows.append(("generator lateness p99", wording.ms(late.lateness_p99_ms), "", f"{late.n:,}"))
    return rows


def _ratio(name: str, estimate: Estimate, digits: int = 1) -> tuple[str, ...]:
    value = wording.percent(estimate.value, digits)
    return name, value, wording.ratio_interval(estimate), f"{estimate.n:,}"


def cost_cells(row: CostRow, requests: int) -> tuple[str, ...]:
    """A line of the cost table; `per request` is over all requests, unknown where a call's cost is."""
    unpriced = f" ({row.unpriced_calls} unpriced)" if row.unpriced_calls else ""
    mean = None if row.cost_usd is None or row.unpriced_calls or not requests else row.cost_usd / requests
    return (
        row.role.value,
        f"{row.provider} / {row.model}",
        f"{row.calls:,}{unpriced}",
        _count(row.input_tokens),
        _count(row.output_tokens),
        wording.usd(row.cost_usd, 4),
        wording.usd(mean),
    )


def _count(tokens: int | None) -> str:
    return wording.UNKNOWN if tokens is None else f"{tokens:,}"


def total_cells(summary: RunSummary) -> tuple[str, ...]:
    """The last line of the cost table; it says what it leaves out, and its mean is of priced requests."""
    note = f" ({summary.cost.exclusion})" if summary.cost.exclusion else ""
    total = summary.cost.total_usd
    mean = None if total is None or not summary.requests else total / summary.requests
    if summary.cost.exclusion:
        mean = summary.cost.per_request_usd
    return (f"total{note}", "", "", "", "", wording.usd(total, 4), wording.usd(mean))


def error_cells(group: ErrorGroup) -> tuple[str, ...]:
    """A line of the error table."""
    return (
        f"{group.count:,}",
        group.status.value,
        str(group.http_status or wording.UNKNOWN),
        group.kind.value if group.kind is not None else wording.UNKNOWN,
        (group.example or "")[:120],
    )
