"""The report as one self-contained HTML file: no script, no request to anywhere, foreign text escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.analysis.sample import RunFacts, latency_sample
from harness.records import Request, dump_json
from harness.report import charts, rows, wording
from harness.report.figures import RunSummary
from harness.version import __version__

NUMERIC = frozenset(
    {"value", "95% interval", "n", "calls", "tokens in", "tokens out", "cost", "per request", "failed"}
    | {"latency", "service", "server", "B - A", "A", "B"}
)
"""Columns set flush right."""

SLOWEST_HEAD = ("request", "case", "latency", "service", "server", "stages", "tier", "cost")
_SLOWEST = 10
_SETTING_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline figure with what it rests on."""

    label: str
    value: str
    note: str


def environment() -> Environment:
    """Templates of this package; every value is escaped unless it is our own SVG or style sheet."""
    env = Environment(
        loader=PackageLoader("harness.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    source, _, _ = PackageLoader("harness.report").get_source(env, "report.css")
    env.globals.update(
        css=Markup(source),  # noqa: S704 - our own file
        numeric=NUMERIC,
        written_by=f"harness {__version__}",
    )
    return env


def render_html(
    summary: RunSummary,
    run: RunFacts,
    requests: Sequence[Request],
    *,
    gate: Mapping[str, Any] | None = None,
    limit_ms: float | None = None,
    ruler: Mapping[str, Any] | None = None,
) -> str:
    """The report's HTML, under 500 KB whatever the number of requests.

    Args:
        summary: of `run_summary`.
        run: for its configuration.
        requests: for the charts and the slowest.
        gate: the gate's JSON; its latency limit is drawn when no other is given.
        limit_ms: the latency limit to draw.
        ruler: the last calibration, or None.
    """
    limit = limit_ms if limit_ms is not None else _gate_limit(gate)
    cost = summary.cost
    costs = [rows.cost_cells(row, summary.requests) for row in cost.rows]
    return (
        environment()
        .get_template("run.html.j2")
        .render(
            title=f"{summary.run.name} ({summary.run.mode_label})",
            run=summary.run,
            started=f"{summary.run.started_at:%Y-%m-%d %H:%M:%S} UTC",
            gate=gate,
            banner=rows.mode_banner(summary.run.provider_mode),
            suspect="; ".join(summary.generator.reasons) if summary.generator.suspect else "",
            tiles=_tiles(summary),
            charts=_charts(summary, requests, limit),
            figure_head=rows.FIGURE_HEAD,
            figures=rows.figure_rows(summary),
            cost_head=rows.COST_HEAD,
            costs=[*costs, rows.total_cells(summary)] if costs else [],
            saving=_saving(summary),
            error_head=rows.ERROR_HEAD,
            errors=[rows.error_cells(group) for group in summary.errors],
            slowest_head=SLOWEST_HEAD,
            slowest=_slowest(requests),
            settings=_settings(summary, run),
            ruler=ruler_sentence(ruler),
            empty_columns=summary.empty_columns,
        )
    )


def _gate_limit(gate: Mapping[str, Any] | None) -> float | None:
    if gate is None:
        return None
    return next((check["limit"] for check in gate["checks"] if check["name"] == "p95_latency"), None)


def _charts(summary: RunSummary, requests: Sequence[Request], limit_ms: float | None) -> dict[str, Markup]:
    drawn = {
        "ecdf": charts.ecdf_chart(latency_sample(requests), limit_ms),
        "timeline": charts.timeline_chart(requests, limit_ms),
        "slowest": charts.slowest_chart(requests),
        "cost": charts.cost_chart(summary.cost.rows),
    }
    # a plot escapes the text it puts into an SVG
    return {name: Markup(svg or "") for name, svg in drawn.items()}  # noqa: S704


def _tiles(summary: RunSummary) -> list[Tile]:
    tiles = [
        Tile(
            f"{figure.quantile.name} latency",
            wording.quantile(figure.quantile),
            f"{wording.quantile_interval(figure.interval)}, n = {figure.quantile.n:,}",
        )
        for figure in summary.latency
    ]
    error, cost, quality = summary.error_ratio, summary.cost, summary.quality
    tiles.append(Tile("error ratio", wording.percent(error.value, 2), f"{wording.ratio_interval(error)}"))
    tiles.append(
        Tile(
            "cost per request",
            wording.usd(cost.per_request_usd, 5),
            cost.exclusion
            or f"draft {wording.usd(cost.draft_usd, 4)}, repair {wording.usd(cost.repair_usd, 4)}",
        )
    )
    tiles.append(
        Tile("high tier", wording.percent(quality.high.value), f"{wording.ratio_interval(quality.high)}")
    )
    if summary.saving.reason is None:
        note = "against repairing with the draft model"
        tiles.append(Tile("saved by the hybrid", wording.percent(summary.saving.saving_ratio), note))
    return tiles


def _saving(summary: RunSummary) -> str:
    saving = summary.saving
    if saving.reason is not None:
        return f"Hybrid saving: no figure, because {saving.reason}."
    return (
        f"The hybrid route cost {wording.usd(saving.actual_usd, 4)} for {saving.requests:,} requests; "
        f"the same recorded tokens with the draft model repairing as well would have cost "
        f"{wording.usd(saving.single_provider_usd, 4)}: {wording.percent(saving.saving_ratio)} saved."
    )


def _slowest(requests: Sequence[Request]) -> list[tuple[str, ...]]:
    timed = [row for row in requests if not row.warmup and (row.latency_ms or row.server_ms) is not None]
    timed.sort(key=lambda row: -(row.latency_ms or row.server_ms or 0.0))
    return [
        (
            row.request_id,
            row.case_id or wording.UNKNOWN,
            wording.ms(row.latency_ms),
            wording.ms(row.service_ms),
            wording.ms(row.server_ms),
            ", ".join(f"{name} {value:,.0f}" for name, value in (row.stages_ms or {}).items()),
            row.quality_tier.value if row.quality_tier is not None else row.status.value,
            wording.usd(row.cost_usd),
        )
        for row in timed[:_SLOWEST]
    ]


def _settings(summary: RunSummary, run: RunFacts) -> list[tuple[str, str]]:
    head = summary.run
    facts: list[tuple[str, object]] = [
        ("run id", head.run_id),
        ("providers", head.mode_label),
        ("harness", head.harness_version),
        ("commit", head.git_sha),
        ("warm-up requests, left out", summary.warmups),
        ("latency clock", summary.latency_source.value if summary.latency_source else None),
    ]
    facts += _flat({name: value for name, value in run.config.items() if name != "summary"})
    facts += _flat(run.summary)
    return [(name, _text(value)) for name, value in dict(facts).items()]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, object]]:
    """Nested settings by dotted name; those that were not set are left out."""
    found: list[tuple[str, object]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{name}.")
        elif value is not None and value != []:
            found.append((f"{prefix}{name}", value))
    return found


def ruler_sentence(ruler: Mapping[str, Any] | None) -> str:
    """The harness's own error on this machine, as last measured; or that nobody measured it."""
    found = {} if ruler is None else {entry.get("q"): entry for entry in ruler.get("moderate") or []}
    errors = [
        f"p{q * 100:g} {found[q]['error_ms']:+.2f} ms"
        for q in (0.5, 0.95, 0.99)
        if q in found and found[q].get("error_ms") is not None
    ]
    if ruler is None or not errors:
        return "The harness's own error was not measured on this machine: harness calibrate does it."
    beyond = "" if ruler.get("within_bounds") else " That is NOT within its bounds: the machine was too busy."
    when = str(ruler.get("ts"))[:16]
    return f"The harness's own error, measured {when} at a moderate rate: {', '.join(errors)}.{beyond}"


def _text(value: object) -> str:
    if value is None:
        return wording.UNKNOWN
    text = value if isinstance(value, str) else dump_json(value).decode()
    return text if len(text) <= _SETTING_CHARACTERS else text[:_SETTING_CHARACTERS] + "..."
