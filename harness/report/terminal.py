"""The summary of a run as tables for a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.records import ProviderMode, Tier
from harness.report import wording
from harness.report.figures import CostRow, RunSummary

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


def summary_table(summary: RunSummary) -> RenderableType:
    """Latency, errors, cost, quality and what is missing, for `rich`."""
    parts: list[RenderableType] = [_title(summary), _figures(summary)]
    if summary.cost.rows:
        parts.append(_costs(summary))
    if summary.errors:
        parts.append(_errors(summary))
    if summary.empty_columns:
        empty = Text("Empty columns\n", style="bold")
        empty.append("\n".join(f"  {name}: {why}" for name, why in summary.empty_columns), style="dim")
        parts.append(empty)
    return Group(*parts)


def _title(summary: RunSummary) -> Text:
    run = summary.run
    text = Text(f"{run.name} ", style="bold").append(f"({run.run_id}, {run.status.value})", style="dim")
    banner = mode_banner(run.provider_mode)
    if banner:
        text.append(f"\n{banner}", style="bold yellow")
    if summary.generator.suspect:
        text.append(f"\nSUSPECT: {'; '.join(summary.generator.reasons)}", style="bold red")
    return text


def _figures(summary: RunSummary) -> Table:
    table = Table(show_header=True, header_style="bold", box=None, pad_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("95% interval", justify="right")
    table.add_column("n", justify="right")
    for figure in summary.latency:
        table.add_row(
            f"latency {figure.quantile.name}",
            wording.quantile(figure.quantile),
            wording.quantile_interval(figure.interval),
            f"{figure.quantile.n:,}",
        )
    for name, quantiles in (("time to first token", summary.ttft), ("inter-token latency", summary.itl)):
        for quantile in quantiles[:2]:
            table.add_row(f"{name} {quantile.name}", wording.quantile(quantile), "", f"{quantile.n:,}")
    error = summary.error_ratio
    table.add_row(
        "error ratio", wording.percent(error.value, 2), wording.ratio_interval(error), f"{error.n:,}"
    )
    rate = summary.throughput_rps
    table.add_row("throughput", wording.UNKNOWN if rate is None else f"{rate:.2f} /s", "", f"{summary.ok:,}")
    _quality_rows(table, summary)
    _money_rows(table, summary)
    late = summary.generator
    if late.n:
        table.add_row("generator lateness p99", wording.ms(late.lateness_p99_ms), "", f"{late.n:,}")
    return table


def _quality_rows(table: Table, summary: RunSummary) -> None:
    quality = summary.quality
    tiers = ", ".join(f"{quality.tiers[tier]} {tier.value}" for tier in Tier)
    if quality.ungraded:
        tiers += f", {quality.ungraded} ungraded"
    table.add_row("quality tiers", tiers, "", f"{summary.ok:,}")
    for name, estimate in (
        ("high tier", quality.high),
        ("repaired", quality.repaired),
        ("mixed providers", quality.mixed),
        ("prompt cache hits", quality.cache_hit),
    ):
        table.add_row(
            name, wording.percent(estimate.value), wording.ratio_interval(estimate), f"{estimate.n:,}"
        )


def _money_rows(table: Table, summary: RunSummary) -> None:
    cost, saving = summary.cost, summary.saving
    table.add_row(
        "cost per request",
        wording.usd(cost.per_request_usd),
        wording.usd_interval(cost.per_request_interval),
        f"{cost.priced_requests:,}",
    )
    if saving.reason is None:
        table.add_row(
            "saved by the hybrid route", wording.percent(saving.saving_ratio), "", f"{saving.requests:,}"
        )


def _costs(summary: RunSummary) -> Table:
    table = Table(show_header=True, header_style="bold", box=None, pad_edge=False)
    table.add_column("cost by role")
    table.add_column("provider / model")
    for name in ("calls", "tokens in", "tokens out", "cost", "per request"):
        table.add_column(name, justify="right")
    for row in summary.cost.rows:
        table.add_row(*cost_cells(row, summary.requests))
    note = f" ({summary.cost.exclusion})" if summary.cost.exclusion else ""
    total = summary.cost.total_usd
    mean = None if total is None or not summary.requests else total / summary.requests
    table.add_row(
        Text(f"total{note}", style="bold"), "", "", "", "", wording.usd(total, 4), wording.usd(mean)
    )
    return table


def cost_cells(row: CostRow, requests: int) -> tuple[str, ...]:
    """A line of the cost table: role, model, calls, tokens, dollars, dollars per request of the run."""
    unpriced = f" ({row.unpriced_calls} unpriced)" if row.unpriced_calls else ""
    mean = None if row.cost_usd is None or not requests else row.cost_usd / requests
    return (
        row.role.value,
        f"{row.provider} / {row.model}",
        f"{row.calls:,}{unpriced}",
        f"{row.input_tokens:,}",
        f"{row.output_tokens:,}",
        wording.usd(row.cost_usd, 4),
        wording.usd(mean),
    )


def _errors(summary: RunSummary) -> Table:
    table = Table(show_header=True, header_style="bold", box=None, pad_edge=False)
    for name in ("failed", "status", "kind", "example"):
        table.add_column(name)
    for group in summary.errors:
        status = group.status.value + (f" {group.http_status}" if group.http_status else "")
        kind = group.kind.value if group.kind is not None else wording.UNKNOWN
        table.add_row(str(group.count), status, kind, Text((group.example or "")[:80]))
    return table
