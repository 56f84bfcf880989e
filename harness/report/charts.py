"""The report's charts as inline SVG, drawn by matplotlib without a browser or a display.

Text stays text (`svg.fonttype: none`), so that the page can be searched and its font is the page's own.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from harness.analysis.percentile import latency_percentile
from harness.analysis.sample import LatencySample, counted
from harness.records import Request, RequestStatus, Role
from harness.report.figures import CostRow
from harness.report.wording import printable

INK, MUTED, GRID = "#1f2933", "#616e7c", "#e4e7eb"
BLUE, TEAL, ORANGE, RED, VIOLET = "#2563eb", "#0d9488", "#d97706", "#dc2626", "#7c3aed"
ROLE_COLOURS = {Role.DRAFT: BLUE, Role.REPAIR: ORANGE, Role.SUGGEST: TEAL, Role.JUDGE: VIOLET}
STAGE_COLOURS = {"draft": BLUE, "repair": ORANGE, "validate": TEAL}
OTHER_STAGES = (VIOLET, "#0891b2", "#be185d")

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # foreign text is text: a $ in a case id is no formula
    "font.family": "DejaVu Sans",  # its metrics come with matplotlib; the page's font replaces its name
    "font.size": 10,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
}

_MAX_POINTS = 400
"""Points a chart draws at most: a report of a million requests is no larger than one of a thousand."""


@contextmanager
def _canvas(name: str, width_in: float, height_in: float) -> Iterator[tuple[Figure, Axes, list[str]]]:
    """A figure in the house style; its SVG is put into the list on leaving."""
    result: list[str] = []
    with warnings.catch_warnings(), mpl.rc_context(cast("Any", {**_STYLE, "svg.hashsalt": name})):
        # the text stays text, and the page's font has what matplotlib's own lacks
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        yield figure, figure.add_subplot(), result
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # ids are per figure: two charts on one page must not share one
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", svg)
    svg = svg.replace("'DejaVu Sans'", "system-ui, sans-serif")
    result.append(re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', _opening(name), svg, count=1))


def _opening(name: str) -> str:
    return rf'<svg class="chart" role="img" aria-labelledby="{name}-title" viewBox="\1" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'  # noqa: E501


def ecdf_chart(sample: LatencySample, limit_ms: float | None) -> str | None:
    """Share of requests answered within a time, on a log axis; failures keep the curve below 100%."""
    if not sample.latency_ms.size:
        return None
    ranked = np.sort(sample.latency_ms)
    share = np.arange(1, ranked.size + 1) / sample.n
    kept = _evenly(ranked.size)
    with _canvas("ecdf", 6.2, 3.6) as (_, axes, result):
        axes.step(ranked[kept] / 1000.0, share[kept], where="post", color=BLUE, linewidth=1.8)
        _log_share_axes(axes)
        for q, colour in ((0.5, TEAL), (0.95, ORANGE), (0.99, VIOLET)):
            value = latency_percentile(sample.latency_ms, failures=sample.failures, q=q).value_ms
            if value is not None:
                label = f"p{q * 100:.0f}  {value / 1000:.2f} s"
                axes.plot(value / 1000.0, q, "o", color=colour, markersize=5, label=label)
        if limit_ms is not None:
            axes.axvline(limit_ms / 1000.0, color=RED, linewidth=1.4, linestyle=(0, (4, 3)))
            axes.plot([], [], color=RED, linestyle=(0, (4, 3)), label=f"gate  {limit_ms / 1000:g} s")
        axes.legend(loc="upper left", fontsize=9)
    return result[0]


def two_ecdfs_chart(a: LatencySample, b: LatencySample) -> str | None:
    """The latency distributions of two runs over each other, on a log axis."""
    if not a.latency_ms.size or not b.latency_ms.size:
        return None
    with _canvas("compare", 9.0, 3.8) as (_, axes, result):
        for sample, colour, name in ((a, MUTED, "A"), (b, BLUE, "B")):
            ranked = np.sort(sample.latency_ms)
            share = np.arange(1, ranked.size + 1) / sample.n
            kept = _evenly(ranked.size)
            axes.step(
                ranked[kept] / 1000.0, share[kept], where="post", color=colour, linewidth=1.8, label=name
            )
        _log_share_axes(axes)
        axes.legend(loc="upper left", fontsize=9)
    return result[0]


def timeline_chart(requests: Sequence[Request], limit_ms: float | None) -> str | None:
    """Latency over the run: single requests, p50 and p95 in equal stretches of requests, failures."""
    rows = [row for row in counted(requests) if (row.scheduled_at or row.started_at) is not None]
    if len(rows) < 2:
        return None
    moments = np.array([(row.scheduled_at or row.started_at).timestamp() for row in rows])  # type: ignore[union-attr]
    seconds = moments - moments.min()
    latency = np.array([_latency_s(row) for row in rows])
    ok = np.isfinite(latency)
    with _canvas("timeline", 6.2, 3.6) as (_, axes, result):
        kept = np.flatnonzero(ok)[_evenly(int(ok.sum()))]
        axes.plot(seconds[kept], latency[kept], "o", color=BLUE, alpha=0.25, markersize=2.5, label="request")
        for q, colour in ((0.5, TEAL), (0.95, ORANGE)):
            middles, values = _stretches(seconds, latency, q)
            axes.plot(middles, values, color=colour, linewidth=1.8, label=f"p{q * 100:.0f}")
        if (~ok).any():
            failed = np.flatnonzero(~ok)[_evenly(int((~ok).sum()))]
            axes.plot(seconds[failed], np.zeros(failed.size), "x", color=RED, clip_on=False, label="failed")
        if limit_ms is not None:
            axes.axhline(limit_ms / 1000.0, color=RED, linewidth=1.2, linestyle=(0, (4, 3)), label="gate")
        axes.set_ylim(0, 1.25 * max(np.nanmax(latency, initial=0.0), (limit_ms or 0.0) / 1000.0, 0.001))
        axes.set_xlabel("intended start, seconds into the run")
        axes.set_ylabel("latency, seconds")
        axes.legend(loc="upper right", fontsize=9, ncols=3)
    return result[0]


def slowest_chart(requests: Sequence[Request], most: int = 10) -> str | None:
    """The slowest requests as bars of their stages; what no stage explains is the time around them."""
    rows = [row for row in counted(requests) if np.isfinite(_latency_s(row))]
    rows = sorted(rows, key=_latency_s, reverse=True)[:most]
    if not rows:
        return None
    stages = _stage_colours(rows)
    with _canvas("slowest", 6.2, 0.9 + 0.28 * len(rows)) as (_, axes, result):
        places = np.arange(len(rows))
        left = np.zeros(len(rows))
        for name, colour in stages.items():
            width = np.array([(row.stages_ms or {}).get(name, 0.0) / 1000.0 for row in rows])
            axes.barh(places, width, left=left, height=0.62, color=colour, label=name)
            left = left + width
        rest = np.maximum(0.0, np.array([_latency_s(row) for row in rows]) - left)
        axes.barh(places, rest, left=left, height=0.62, color="#cbd2d9", label="other")
        axes.set_yticks(places, [printable(row.case_id or row.request_id)[-22:] for row in rows])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("seconds from the intended start")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=9, ncols=4)
    return result[0]


def cost_chart(rows: Sequence[CostRow]) -> str | None:
    """What each role cost at each provider."""
    priced = [row for row in rows if row.cost_usd is not None]
    if not priced:
        return None
    with _canvas("cost", 6.2, 0.7 + 0.42 * len(priced)) as (_, axes, result):
        for place, row in enumerate(priced):
            cost = float(row.cost_usd or 0)
            axes.barh(place, cost, height=0.6, color=ROLE_COLOURS[row.role])
            axes.annotate(f" ${cost:,.4f}", (cost, place), va="center", fontsize=9, color=INK)
        names = [f"{row.role.value}: {printable(row.model)}" for row in priced]
        axes.set_yticks(range(len(priced)), names)
        axes.invert_yaxis()
        axes.margins(x=0.18)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${value:g}"))
    return result[0]


def _stage_colours(rows: Sequence[Request]) -> dict[str, str]:
    """A colour for each stage; a fourth unknown one and beyond count as other."""
    names = dict.fromkeys(name for row in rows for name in (row.stages_ms or {}))
    known = {name: colour for name, colour in STAGE_COLOURS.items() if name in names}
    foreign = [name for name in names if name not in known]
    return known | dict(zip(foreign, OTHER_STAGES, strict=False))


def _latency_s(row: Request) -> float:
    value = row.latency_ms if row.latency_ms is not None else row.server_ms
    return value / 1000.0 if row.status is RequestStatus.OK and value is not None else np.nan


def _evenly(size: int) -> NDArray[np.intp]:
    """Indices of at most 400 evenly spaced items, the first and last among them."""
    if size <= _MAX_POINTS:
        return np.arange(size)
    return np.unique(np.linspace(0, size - 1, _MAX_POINTS).astype(np.intp))


def _stretches(
    seconds: NDArray[np.float64], latency: NDArray[np.float64], q: float
) -> tuple[list[float], list[float]]:
    """Middle and q quantile of up to 24 stretches of at least 20 requests, failures ranked last."""
    count = max(1, min(24, seconds.size // 20))
    middles: list[float] = []
    values: list[float] = []
    for part in np.array_split(np.arange(seconds.size), count):
        known = latency[part][np.isfinite(latency[part])]
        figure = latency_percentile(known, failures=int(part.size - known.size), q=q)
        middles.append(float(seconds[part].mean()))
        values.append(np.nan if figure.value_ms is None else figure.value_ms)
    return middles, values


def _log_share_axes(axes: Axes) -> None:
    """Seconds on a log axis, in plain numbers and enough of them on a narrow range; a share upwards."""
    axes.set_xscale("log")
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_xlabel("latency from the intended start, seconds (log axis)")
    axes.set_ylabel("answered within")
    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high / low > 8 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    ticks = [step * 10.0**power for power in range(-5, 7) for step in steps]
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
