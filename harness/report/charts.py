"""The report's charts as inline SVG; their text stays text, to be searched and read aloud."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.analysis.percentile import latency_percentile
from harness.analysis.sample import LatencySample, counted
from harness.records import Request, RequestStatus, Role
from harness.report.figures import CostRow
from harness.report.plot import Axis, Plot, bars_height, name_room
from harness.report.wording import printable

BLUE, TEAL, ORANGE, RED, VIOLET, CYAN, PINK, GREY = (
    f"var(--{name})" for name in ("blue", "teal", "orange", "red", "violet", "cyan", "pink", "rest")
)
ROLE_COLOURS = {Role.DRAFT: BLUE, Role.REPAIR: ORANGE, Role.SUGGEST: TEAL, Role.JUDGE: VIOLET}
STAGE_COLOURS = {"draft": BLUE, "repair": ORANGE, "validate": TEAL}
OTHER_STAGES = (VIOLET, CYAN, PINK)
HEIGHT = 280.0

_MAX_POINTS = 400
"""Points a chart draws at most: a report of a million requests is no larger than one of a thousand."""
_MOST_NAME_CHARS = 30


def ecdf_chart(sample: LatencySample, limit_ms: float | None) -> str | None:
    """Share of requests answered within a time, on a log axis; failures keep the curve below 100%."""
    if not sample.latency_ms.size:
        return None
    points = []
    for q, colour in ((0.5, TEAL), (0.95, ORANGE), (0.99, VIOLET)):
        value = latency_percentile(sample.latency_ms, failures=sample.failures, q=q).value_ms
        if value is not None:
            points.append((value / 1000.0, q, colour, f"p{q * 100:.0f}  {value / 1000:.2f} s"))
    legend = [(label, colour, "dot") for _, _, colour, label in points]
    if limit_ms is not None:
        legend.append((f"gate  {limit_ms / 1000:g} s", RED, "dash"))
    plot = _ecdf_plot("ecdf", [sample], legend, also_ms=limit_ms)
    _draw_ecdf(plot, sample, BLUE)
    if limit_ms is not None:
        plot.upright(limit_ms / 1000.0, RED)
    for seconds, q, colour, _ in points:
        plot.dots([seconds], [q], colour, size=7)
    return plot.svg()


def two_ecdfs_chart(a: LatencySample, b: LatencySample) -> str | None:
    """The latency distributions of two runs over each other, on a log axis."""
    if not a.latency_ms.size or not b.latency_ms.size:
        return None
    sides = ((a, GREY, f"A, n = {a.n:,}"), (b, BLUE, f"B, n = {b.n:,}"))
    plot = _ecdf_plot("compare", [a, b], [(name, colour, "line") for _, colour, name in sides])
    for sample, colour, _ in sides:
        _draw_ecdf(plot, sample, colour)
    return plot.svg()


def timeline_chart(requests: Sequence[Request], limit_ms: float | None) -> str | None:
    """Latency over the run: single requests, p50 and p95 in equal stretches of requests, failures."""
    rows = [row for row in counted(requests) if (row.scheduled_at or row.started_at) is not None]
    if len(rows) < 2:
        return None
    moments = np.array([(row.scheduled_at or row.started_at).timestamp() for row in rows])  # type: ignore[union-attr]
    seconds = moments - moments.min()
    latency = np.array([_latency_s(row) for row in rows])
    ok = np.isfinite(latency)
    legend = [("request", BLUE, "dot"), ("p50", TEAL, "line"), ("p95", ORANGE, "line")]
    legend += [("failed", RED, "cross")] if (~ok).any() else []
    legend += [(f"gate  {limit_ms / 1000:g} s", RED, "dash")] if limit_ms is not None else []
    top = 1.15 * max(np.nanmax(latency, initial=0.0), (limit_ms or 0.0) / 1000.0, 0.001)
    plot = Plot(
        "timeline",
        Axis(low=0.0, high=max(float(seconds.max()), 0.001), label="intended start, seconds into the run"),
        Axis(low=0.0, high=top, label=f"latency, seconds (n = {len(rows):,})"),
        height=HEIGHT,
        legend=legend,
    )
    kept = np.flatnonzero(ok)[_evenly(int(ok.sum()))]
    plot.dots(seconds[kept], latency[kept], BLUE, opacity=0.35)
    for q, colour in ((0.5, TEAL), (0.95, ORANGE)):
        plot.line(*_stretches(seconds, latency, q), colour)
    if (~ok).any():
        failed = np.flatnonzero(~ok)[_evenly(int((~ok).sum()))]
        plot.crosses(seconds[failed], np.zeros(failed.size), RED)
    if limit_ms is not None:
        plot.level(limit_ms / 1000.0, RED)
    return plot.svg()


def slowest_chart(requests: Sequence[Request], most: int = 10) -> str | None:
    """The slowest requests as bars of their stages; what no stage explains is the time around them."""
    rows = [row for row in counted(requests) if np.isfinite(_latency_s(row))]
    total = len(rows)
    rows = sorted(rows, key=_latency_s, reverse=True)[:most]
    if not rows:
        return None
    stages = _stage_colours(rows)
    legend = [(name, colour, "bar") for name, colour in {**stages, "other": GREY}.items()]
    names = [printable(row.case_id or row.request_id)[-22:] for row in rows]
    spans = [[(row.stages_ms or {}).get(name, 0.0) / 1000.0 for name in stages] for row in rows]
    longest = max(*(_latency_s(row) for row in rows), *(sum(span) for span in spans), 0.001)
    plot = Plot(
        "slowest",
        Axis(low=0.0, high=longest, label=f"seconds from the intended start ({len(rows)} of n = {total:,})"),
        None,
        height=bars_height(len(rows), legend),
        left=name_room(names),
        legend=legend,
    )
    for place, (row, name, span) in enumerate(zip(rows, names, spans, strict=True)):
        rest = max(0.0, _latency_s(row) - sum(span))
        plot.bar(name, place, len(rows), zip([*span, rest], [*stages.values(), GREY], strict=True))
    return plot.svg()


def cost_chart(rows: Sequence[CostRow]) -> str | None:
    """What each role cost at each provider."""
    priced = [row for row in rows if row.cost_usd is not None]
    if not priced:
        return None
    names = [f"{row.role.value}: {printable(row.model)}"[:_MOST_NAME_CHARS] for row in priced]
    costs = [float(row.cost_usd or 0) for row in priced]
    plot = Plot(
        "cost",
        Axis(low=0.0, high=1.45 * max(*costs, 1e-9), label="US dollars", text="${:g}".format),
        None,
        height=bars_height(len(priced)),
        left=name_room(names),
    )
    for place, (row, name, cost) in enumerate(zip(priced, names, costs, strict=True)):
        plot.bar(name, place, len(priced), [(cost, ROLE_COLOURS[row.role])], note=f"${cost:,.4f}")
    return plot.svg()


def _ecdf_plot(
    name: str,
    samples: Sequence[LatencySample],
    legend: Sequence[tuple[str, str, str]],
    *,
    also_ms: float | None = None,
) -> Plot:
    seconds = [float(end) / 1000.0 for s in samples for end in (s.latency_ms.min(), s.latency_ms.max())]
    if also_ms:
        seconds.append(also_ms / 1000.0)
    low, high = max(min(seconds), 1e-6), max(*seconds, 1e-6)
    counted_n = f" (n = {samples[0].n:,})" if len(samples) == 1 else ""
    return Plot(
        name,
        Axis(
            low=low / 1.06,
            high=high * 1.06,
            label="latency from the intended start, seconds (log axis)",
            log=True,
        ),
        Axis(low=0.0, high=1.02, label=f"answered within{counted_n}", text="{:.0%}".format),
        height=HEIGHT,
        legend=legend,
    )


def _draw_ecdf(plot: Plot, sample: LatencySample, colour: str) -> None:
    ranked = np.maximum(np.sort(sample.latency_ms) / 1000.0, 1e-6)
    share = np.arange(1, ranked.size + 1) / sample.n
    kept = _evenly(ranked.size)
    plot.line(ranked[kept], share[kept], colour, steps=True)


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
