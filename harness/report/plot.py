"""A small chart as inline SVG: two axes, marks and a legend, in the colours of the page's own style sheet.

Lengths are in units of the view box: about a pixel on a desk, four fifths of one on a phone.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDTH = 440.0
_FONT = 12.0
_CHAR = 6.4
"""Mean width of a character: only the legend and the room for names of bars rest on it."""
_LEGEND_ROW = 18.0
_BOTTOM, _LEFT, _RIGHT = 40.0, 52.0, 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis shows: its range, where it ticks, how a tick reads.

    Attributes:
        low, high: ends, in the data's unit; low < high, and above 0 on a log axis.
        label: what it is, with its unit.
        text: a tick's value as text.
        ticks: where; None for round values.
    """

    low: float
    high: float
    label: str = ""
    text: Callable[[float], str] = "{:g}".format
    ticks: Sequence[float] | None = None
    log: bool = False

    def share(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie between the ends, 0..1, shape as given; NaN stays NaN."""
        at = np.asarray(values, np.float64)
        if self.log:
            return np.asarray(np.log(at / self.low) / math.log(self.high / self.low))
        return np.asarray((at - self.low) / (self.high - self.low))

    def marks(self) -> list[float]:
        """The ticks within the ends, increasing."""
        if self.ticks is not None:
            return [tick for tick in self.ticks if self.low <= tick <= self.high]
        return _log_ticks(self.low, self.high) if self.log else _round_ticks(self.low, self.high)


class Plot:
    """One chart, drawn mark by mark; `svg` gives it whole.

    Args:
        name: prefix of its ids, its own on a page; `<name>-title` labels it.
        x: the horizontal axis.
        y: the vertical one; None for bars, which are named instead.
        height: of the whole, legend and axis included.
        left: room at the left for ticks or names.
        legend: label, colour and kind (`line`, `dash`, `dot`, `bar`) of each entry.
    """

    def __init__(
        self,
        name: str,
        x: Axis,
        y: Axis | None,
        *,
        height: float,
        left: float = _LEFT,
        legend: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        self._name, self._x, self._y, self._height, self._left = name, x, y, height, left
        rows = list(_legend_rows(legend))
        self._top = _LEGEND_ROW * len(rows) + 10.0
        self._floor = height - _BOTTOM
        self._parts: list[str] = []
        for number, row in enumerate(rows):
            self._draw_legend(row, _LEGEND_ROW * number + 12.0)
        self._draw_axes()

    def line(self, x: ArrayLike, y: ArrayLike, colour: str, *, steps: bool = False) -> None:
        """A line through points, shape (n,); it breaks where one is NaN."""
        path, pen = [], "M"
        for px, py in zip(self._across(x), self._up(y), strict=True):
            if math.isnan(px) or math.isnan(py):
                pen = "M"
                continue
            path.append(f"{pen}{px:.1f} {py:.1f}" if pen == "M" or not steps else f"H{px:.1f}V{py:.1f}")
            pen = "L"
        self._parts.append(f'<path d="{"".join(path)}" style="fill:none;stroke:{colour};stroke-width:2"/>')

    def dots(
        self, x: ArrayLike, y: ArrayLike, colour: str, *, size: float = 4.0, opacity: float = 1.0
    ) -> None:
        """Points, shape (n,)."""
        places = zip(self._across(x), self._up(y), strict=True)
        path = "".join(f"M{px:.1f} {py:.1f}h0" for px, py in places)
        style = f"stroke:{colour};stroke-width:{size:g};stroke-linecap:round;opacity:{opacity:g}"
        self._parts.append(f'<path d="{path}" style="{style}"/>')

    def crosses(self, x: ArrayLike, y: ArrayLike, colour: str) -> None:
        """Points that must not be passed over, shape (n,)."""
        places = zip(self._across(x), self._up(y), strict=True)
        path = "".join(f"M{px - 3:.1f} {py - 3:.1f}l6 6m0 -6l-6 6" for px, py in places)
        self._parts.append(f'<path d="{path}" style="stroke:{colour};stroke-width:1.6;fill:none"/>')

    def upright(self, x: float, colour: str) -> None:
        """A dashed line from floor to ceiling."""
        if self._x.low <= x <= self._x.high:
            self._dash(f"M{self._across(x):.1f} {self._floor:.1f}V{self._top:.1f}", colour)

    def level(self, y: float, colour: str) -> None:
        """A dashed line from side to side."""
        self._dash(f"M{self._left:.1f} {self._up(y):.1f}H{WIDTH - _RIGHT:.1f}", colour)

    def bar(
        self, name: str, place: int, count: int, parts: Iterable[tuple[float, str]], note: str = ""
    ) -> None:
        """One of `count` bars: its name, its parts (width, colour) one after the other, a note."""
        pitch = (self._floor - self._top) / count
        top, thick, at = self._top + pitch * (place + 0.19), pitch * 0.62, self._x.low
        middle = top + thick / 2 + _FONT * 0.35
        self._text(self._left - 6, middle, name, anchor="end")
        for width, colour in parts:
            left, right = self._across(at), self._across(at + width)
            self._parts.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0):.1f}" '
                f'height="{thick:.1f}" style="fill:{colour}"/>'
            )
            at += width
        if note:
            self._text(float(self._across(at)) + 5, middle, note, style="fill:var(--ink)")

    def svg(self) -> str:
        """The chart."""
        return (
            f'<svg class="chart" role="img" aria-labelledby="{self._name}-title" '
            f'viewBox="0 0 {WIDTH:g} {self._height:g}" xmlns="http://www.w3.org/2000/svg" '
            f'font-size="{_FONT:g}">{"".join(self._parts)}</svg>'
        )

    def _across(self, x: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(self._left + self._x.share(x) * (WIDTH - _RIGHT - self._left))

    def _up(self, y: ArrayLike) -> NDArray[np.float64]:
        if self._y is None:
            raise ValueError("a chart of bars has no vertical axis")
        return np.asarray(self._floor - self._y.share(y) * (self._floor - self._top))

    def _draw_axes(self) -> None:
        for tick in self._x.marks():
            at = float(self._across(tick))
            self._rule(f"M{at:.1f} {self._floor:.1f}V{self._top:.1f}")
            self._text(at, self._floor + 15, self._x.text(tick), anchor="middle")
        self._text((self._left + WIDTH - _RIGHT) / 2, self._floor + 33, self._x.label, anchor="middle")
        if self._y is None:
            return
        for tick in self._y.marks():
            at = float(self._up(tick))
            self._rule(f"M{self._left:.1f} {at:.1f}H{WIDTH - _RIGHT:.1f}")
            self._text(self._left - 6, at + _FONT * 0.35, self._y.text(tick), anchor="end")
        middle = (self._top + self._floor) / 2
        turned = f' transform="rotate(-90 11 {middle:.1f})"'
        self._text(11, middle, self._y.label, anchor="middle", more=turned)

    def _draw_legend(self, entries: Sequence[tuple[str, str, str]], y: float) -> None:
        x = self._left
        for label, colour, kind in entries:
            middle = y - _FONT * 0.35
            match kind:
                case "dot":
                    style = f"stroke:{colour};stroke-width:7;stroke-linecap:round"
                    self._parts.append(f'<path d="M{x + 7:.1f} {middle:.1f}h0" style="{style}"/>')
                case "bar":
                    style = f"stroke:{colour};stroke-width:9"
                    self._parts.append(f'<path d="M{x + 2:.1f} {middle:.1f}h10" style="{style}"/>')
                case "cross":
                    self._parts.append(
                        f'<path d="M{x + 4:.1f} {middle - 3:.1f}l6 6m0 -6l-6 6" style="stroke:{colour};'
                        'stroke-width:1.6;fill:none"/>'
                    )
                case _:
                    dash = ";stroke-dasharray:4 3" if kind == "dash" else ""
                    style = f"stroke:{colour};stroke-width:2{dash}"
                    self._parts.append(f'<path d="M{x:.1f} {middle:.1f}h14" style="{style}"/>')
            self._text(x + 18, y, label)
            x += _legend_width(label)

    def _rule(self, path: str) -> None:
        self._parts.append(f'<path d="{path}" style="stroke:var(--line);stroke-width:.8"/>')

    def _dash(self, path: str, colour: str) -> None:
        style = f"stroke:{colour};stroke-width:1.4;stroke-dasharray:4 3;fill:none"
        self._parts.append(f'<path d="{path}" style="{style}"/>')

    def _text(
        self, x: float, y: float, text: str, *, anchor: str = "start", style: str = "", more: str = ""
    ) -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'style="{style or "fill:var(--muted)"}"{more}>{escape(text)}</text>'
        )


def name_room(names: Iterable[str]) -> float:
    """Room at the left for the names of bars."""
    return min(0.5 * WIDTH, 12.0 + _CHAR * max(map(len, names), default=0))


def bars_height(count: int, legend: Sequence[tuple[str, str, str]] = ()) -> float:
    """Height of a chart of so many bars."""
    return 10.0 + _BOTTOM + 24.0 * count + _LEGEND_ROW * len(list(_legend_rows(legend)))


def _legend_width(label: str) -> float:
    return 18.0 + _CHAR * len(label) + 14.0


def _legend_rows(entries: Sequence[tuple[str, str, str]]) -> Iterable[list[tuple[str, str, str]]]:
    row: list[tuple[str, str, str]] = []
    for entry in entries:
        if row and sum(_legend_width(label) for label, _, _ in (*row, entry)) > WIDTH - _LEFT:
            yield row
            row = []
        row.append(entry)
    if row:
        yield row


def _round_ticks(low: float, high: float, most: int = 6) -> list[float]:
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= raw * (1 - 1e-9))
    return [step * k for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Plain numbers, and enough of them on a narrow range."""
    steps: tuple[float, ...] = (1.0, 2.0, 5.0)
    if high / low <= 8:
        steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    elif high / low > 300:
        steps = (1.0,)
    ticks = [step * 10.0**power for power in range(-6, 8) for step in steps]
    return [tick for tick in ticks if low <= tick <= high]
