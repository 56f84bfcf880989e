"""The report as one self-contained HTML file: no script, no request to anywhere, foreign text escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.figures import course, figure_named
from harness.figures.declaration import Unit
from harness.figures.selection import Rows
from harness.figures.summary import RunSummary
from harness.records import dump_json
from harness.records.told import SUMMARY_KEY
from harness.report import charts, rows, wording
from harness.store.database.typed import StoredRun
from harness.version import __version__

NUMERIC = frozenset(
    {"value", "95% interval", "n", "calls", "tokens in", "tokens out", "cost", "per request", "failed"}
    | {"latency", "service", "server", "B - A", "A", "B"}
)
"""Columns set flush right."""

SLOWEST_HEAD = ("request", "case", "latency", "service", "server", "stages", "tier", "cost")
HEADLINES = ("p50_latency", "p95_latency", "p99_latency", "error_ratio", "cost_per_request", "high_tier")
"""Figures on the tiles."""
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
    run: StoredRun,
    counted: Rows,
    *,
    gate: Mapping[str, Any] | None = None,
    limit_ms: float | None = None,
    ruler: Mapping[str, Any] | None = None,
) -> str:
    """The report's HTML, under 500 KB whatever the number of requests.

    Args:
        summary: of `run_summary`.
        run: for its configuration.
        counted: its requests, for the charts and the slowest.
        gate: the gate's JSON; its latency limit is drawn when no other is given.
        limit_ms: the latency limit to draw.
        ruler: the last calibration, or None.
    """
    limit = limit_ms if limit_ms is not None else _gate_limit(gate)
    slow = course.slowest(counted)
    return (
        environment()
        .get_template("run.html.j2")
        .render(
            title=f"{summary.run.name} ({summary.run.mode_label})",
            run=summary.run,
            started=f"{summary.run.started_at:%Y-%m-%d %H:%M:%S} UTC",
            gate=gate,
            banner=rows.mode_banner(summary.run.provider_mode),
            suspect="; ".join(summary.suspect_reasons) if summary.suspect else "",
            tiles=_tiles(summary),
            charts=_charts(summary, counted, slow, limit),
            figure_head=rows.FIGURE_HEAD,
            figures=rows.figure_rows(summary),
            cost_head=rows.COST_HEAD,
            costs=rows.cost_rows(summary),
            note=rows.gap_note(summary),
            saving=_saving(summary),
            error_head=rows.ERROR_HEAD,
            errors=[rows.error_cells(group) for group in summary.errors],
            slowest_head=SLOWEST_HEAD,
            slowest=[_slow_cells(line) for line in slow],
            settings=_settings(summary, run),
            ruler=ruler_sentence(ruler),
            empty_columns=summary.empty_columns,
        )
    )


def _gate_limit(gate: Mapping[str, Any] | None) -> float | None:
    if gate is None:
        return None
    return next((check["limit"] for check in gate["checks"] if check["name"] == "p95_latency"), None)


def _charts(
    summary: RunSummary, counted: Rows, slow: Sequence[Mapping[str, Any]], limit_ms: float | None
) -> dict[str, Markup]:
    marks = {name: summary.figures[name].value for name in ("p50_latency", "p95_latency", "p99_latency")}
    drawn = {
        "ecdf": charts.ecdf_chart(course.spread(counted), marks, limit_ms),
        "timeline": charts.timeline_chart(course.course(counted), limit_ms),
        "slowest": charts.slowest_chart(slow, summary.requests),
        "cost": charts.cost_chart(summary.spending.rows),
    }
    # a plot escapes the text it puts into an SVG
    return {name: Markup(svg or "") for name, svg in drawn.items()}  # noqa: S704


def _tiles(summary: RunSummary) -> list[Tile]:
    tiles = []
    for name in HEADLINES:
        figure, found = figure_named(name), summary.figures[name]
        note = f"{wording.bounds(found, figure.unit)}, n = {found.n:,}"
        tiles.append(Tile(figure.title, rows.value_cell(figure, found), note))
    if summary.spending.exclusion:
        tiles.append(
            Tile("known cost", wording.usd(summary.spending.total_usd, 4), summary.spending.exclusion)
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


def _slow_cells(line: Mapping[str, Any]) -> tuple[str, ...]:
    stages = loads(line["stages_ms"]) if line["stages_ms"] else {}
    return (
        line["request_id"],
        line["case_id"] or wording.UNKNOWN,
        wording.value(line["latency_ms"], Unit.MS),
        wording.value(line["service_ms"], Unit.MS),
        wording.value(line["server_ms"], Unit.MS),
        ", ".join(f"{name} {value:,.0f}" for name, value in stages.items()),
        line["quality_tier"] or line["status"],
        wording.usd(line["cost_usd"]),
    )


def _settings(summary: RunSummary, run: StoredRun) -> list[tuple[str, str]]:
    head = summary.run
    facts: list[tuple[str, object]] = [
        ("run id", head.run_id),
        ("providers", head.mode_label),
        ("harness", head.harness_version),
        ("commit", head.git_sha),
        ("warm-up requests, left out", summary.warmups),
        ("latency clock", summary.clock.value if summary.clock else None),
    ]
    facts += _flat({name: value for name, value in run.config.items() if name != SUMMARY_KEY})
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
