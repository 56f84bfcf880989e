"""The report's charts as inline SVG; their text stays text, to be searched and read aloud."""

from collections.abc import Mapping, Sequence
from json import loads
from typing import Any

import numpy as np

from harness.figures.course import Course, Spread
from harness.figures.spending import CostRow
from harness.records import Role
from harness.report.plot import Axis, Plot, bars_height, name_room
from harness.report.wording import printable

BLUE, TEAL, ORANGE, RED, VIOLET, CYAN, PINK, GREY = (
    f"var(--{name})" for name in ("blue", "teal", "orange", "red", "violet", "cyan", "pink", "rest")
)
ROLE_COLOURS = {Role.DRAFT: BLUE, Role.REPAIR: ORANGE, Role.SUGGEST: TEAL, Role.JUDGE: VIOLET}
STAGE_COLOURS = {"draft": BLUE, "repair": ORANGE, "validate": TEAL}
OTHER_STAGES = (VIOLET, CYAN, PINK)
HEIGHT = 280.0

_MOST_NAME_CHARS = 30


def ecdf_chart(found: Spread, marks: Mapping[str, float | None], limit_ms: float | None) -> str | None:
    """Share of requests answered within a time, on a log axis; failures keep the curve below 100%.

    Args:
        found: of the latencies.
        marks: `p95_latency` and its like -> milliseconds, None where unknown.
        limit_ms: to be drawn.
    """
    if not found.latency_ms.size:
        return None
    points = []
    for (name, value), colour in zip(marks.items(), (TEAL, ORANGE, VIOLET), strict=True):
        short = name.split("_")[0]
        if value is not None:
            points.append((value / 1000.0, float(short[1:]) / 100, colour, f"{short}  {value / 1000:.2f} s"))
    legend = [(label, colour, "dot") for _, _, colour, label in points]
    if limit_ms is not None:
        legend.append((f"gate  {limit_ms / 1000:g} s", RED, "dash"))
    plot = _ecdf_plot("ecdf", [found], legend, also_ms=limit_ms)
    _draw_ecdf(plot, found, BLUE)
    if limit_ms is not None:
        plot.upright(limit_ms / 1000.0, RED)
    for seconds, q, colour, _ in points:
        plot.dots([seconds], [q], colour, size=7)
    return plot.svg()


def two_ecdfs_chart(a: Spread, b: Spread) -> str | None:
    """The latency distributions of two runs over each other, on a log axis."""
    if not a.latency_ms.size or not b.latency_ms.size:
        return None
    sides = ((a, GREY, f"A, n = {a.n:,}"), (b, BLUE, f"B, n = {b.n:,}"))
    plot = _ecdf_plot("compare", [a, b], [(name, colour, "line") for _, colour, name in sides])
    for found, colour, _ in sides:
        _draw_ecdf(plot, found, colour)
    return plot.svg()


def timeline_chart(found: Course | None, limit_ms: float | None) -> str | None:
    """Latency over the run: single requests, p50 and p95 in equal stretches of requests, failures."""
    if found is None:
        return None
    seconds, latency = found.answers[:, 0], found.answers[:, 1] / 1000.0
    failures = found.failures_s
    legend = [("request", BLUE, "dot"), ("p50", TEAL, "line"), ("p95", ORANGE, "line")]
    legend += [("failed", RED, "cross")] if failures.size else []
    legend += [(f"gate  {limit_ms / 1000:g} s", RED, "dash")] if limit_ms is not None else []
    top = 1.15 * max(np.max(latency, initial=0.0), (limit_ms or 0.0) / 1000.0, 0.001)
    last = max(np.max(seconds, initial=0.0), np.max(failures, initial=0.0), 0.001)
    plot = Plot(
        "timeline",
        Axis(low=0.0, high=float(last), label="intended start, seconds into the run"),
        Axis(low=0.0, high=float(top), label=f"latency, seconds (n = {found.n:,})"),
        height=HEIGHT,
        legend=legend,
    )
    plot.dots(seconds, latency, BLUE, opacity=0.35)
    for (_, values_ms), colour in zip(found.percentiles_ms.items(), (TEAL, ORANGE), strict=True):
        plot.line(found.middles_s, values_ms / 1000.0, colour)
    if failures.size:
        plot.crosses(failures, np.zeros(failures.size), RED)
    if limit_ms is not None:
        plot.level(limit_ms / 1000.0, RED)
    return plot.svg()


def slowest_chart(slow: Sequence[Mapping[str, Any]], total: int) -> str | None:
    """The slowest requests as bars of their stages; what no stage explains is the time around them.

    Args:
        slow: of `figures.course.slowest`.
        total: requests that they are the slowest of.
    """
    if not slow:
        return None
    told = [loads(line["stages_ms"]) if line["stages_ms"] else {} for line in slow]
    stages = _stage_colours(told)
    legend = [(name, colour, "bar") for name, colour in {**stages, "other": GREY}.items()]
    names = [printable(line["case_id"] or line["request_id"])[-22:] for line in slow]
    spans = [[line.get(name, 0.0) / 1000.0 for name in stages] for line in told]
    whole = [line["ms"] / 1000.0 for line in slow]
    longest = max(*whole, *(sum(span) for span in spans), 0.001)
    plot = Plot(
        "slowest",
        Axis(low=0.0, high=longest, label=f"seconds from the intended start ({len(slow)} of n = {total:,})"),
        None,
        height=bars_height(len(slow), legend),
        left=name_room(names),
        legend=legend,
    )
    for place, (seconds, name, span) in enumerate(zip(whole, names, spans, strict=True)):
        rest = max(0.0, seconds - sum(span))
        plot.bar(name, place, len(slow), zip([*span, rest], [*stages.values(), GREY], strict=True))
    return plot.svg()


def cost_chart(rows: Sequence[CostRow]) -> str | None:
    """What each role cost at each provider."""
    priced = [row for row in rows if row.cost_usd is not None]
    if not priced:
        return None
    names = [f"{row.role}: {printable(row.model)}"[:_MOST_NAME_CHARS] for row in priced]
    costs = [float(row.cost_usd or 0) for row in priced]
    plot = Plot(
        "cost",
        Axis(low=0.0, high=1.45 * max(*costs, 1e-9), label="US dollars", text="${:g}".format),
        None,
        height=bars_height(len(priced)),
        left=name_room(names),
    )
    for place, (row, name, cost) in enumerate(zip(priced, names, costs, strict=True)):
        plot.bar(name, place, len(priced), [(cost, ROLE_COLOURS[Role(row.role)])], note=f"${cost:,.4f}")
    return plot.svg()


def _ecdf_plot(
    name: str,
    samples: Sequence[Spread],
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


def _draw_ecdf(plot: Plot, found: Spread, colour: str) -> None:
    plot.line(np.maximum(found.latency_ms / 1000.0, 1e-6), found.share, colour, steps=True)


def _stage_colours(told: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """A colour for each stage; a fourth unknown one and beyond count as other."""
    names = dict.fromkeys(name for stages in told for name in stages)
    known = {name: colour for name, colour in STAGE_COLOURS.items() if name in names}
    foreign = [name for name in names if name not in known]
    return known | dict(zip(foreign, OTHER_STAGES, strict=False))
