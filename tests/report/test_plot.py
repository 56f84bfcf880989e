import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from harness.report.plot import WIDTH, Axis, Plot, bars_height, name_room

SVG = "{http://www.w3.org/2000/svg}"


def a_plot(**options) -> Plot:
    return Plot(
        "made-up",
        Axis(low=0.0, high=10.0, label="seconds"),
        Axis(low=0.0, high=100.0, label="share"),
        height=240.0,
        **options,
    )


def texts(svg: str) -> list[str]:
    return [item.text or "" for item in ET.fromstring(svg).iter(f"{SVG}text")]


def test_axes_say_what_they_show_at_round_values():
    found = texts(a_plot(legend=[("gate  8 s", "var(--red)", "dash")]).svg())
    assert {"seconds", "share", "gate  8 s", "0", "2", "10", "100"} <= set(found)


def test_a_value_lies_in_proportion_between_the_ends():
    plot = a_plot()
    plot.upright(8.0, "var(--red)")
    plot.upright(99.0, "var(--red)")
    dashed = re.findall(r'd="M([\d.]+) [^"]*" style="[^"]*dasharray', plot.svg())
    assert len(dashed) == 1
    left, right = 52.0, WIDTH - 14.0
    assert float(dashed[0]) == pytest.approx(left + 0.8 * (right - left), abs=0.1)


@pytest.mark.parametrize(("value", "share"), [(1.0, 0.0), (10.0, 0.5), (100.0, 1.0), (math.sqrt(10), 0.25)])
def test_a_log_axis_spaces_by_ratio(value: float, share: float):
    axis = Axis(low=1.0, high=100.0, log=True)
    assert float(axis.share(value)) == pytest.approx(share)


@pytest.mark.parametrize(
    "axis",
    [
        *(Axis(low=0.0, high=high) for high in (1e-9, 0.001, 0.37, 1.0, 7.9, 8.0, 123.0, 86_400.0)),
        *(Axis(low=low, high=high, log=True) for low, high in ((0.9, 1.3), (0.1, 8.0), (1e-3, 600.0))),
    ],
)
def test_every_range_has_some_ticks_and_not_too_many(axis: Axis):
    marks = axis.marks()
    assert 1 <= len(marks) <= 12
    assert all(axis.low <= mark <= axis.high * (1 + 1e-9) for mark in marks)


def test_a_line_breaks_where_a_value_is_unknown():
    plot = a_plot()
    plot.line([0.0, 1.0, 2.0, 3.0], [1.0, np.nan, 3.0, 4.0], "var(--blue)")
    path = re.findall(r'd="([^"]*)" style="fill:none;stroke:var\(--blue\)', plot.svg())[0]
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_bars_lie_end_to_end_and_foreign_text_is_text():
    name = "<script>alert(1)</script>"
    plot = Plot("b", Axis(low=0.0, high=4.0), None, height=bars_height(1), left=name_room([name]))
    plot.bar(name, 0, 1, [(1.0, "var(--blue)"), (2.0, "var(--orange)")], note="3 & more")
    svg = plot.svg()
    first, second = list(ET.fromstring(svg).iter(f"{SVG}rect"))
    assert float(first.get("x")) + float(first.get("width")) == pytest.approx(
        float(second.get("x")), abs=0.11
    )
    assert float(second.get("width")) == pytest.approx(2 * float(first.get("width")), abs=0.2)
    assert name in texts(svg)
    assert "<script" not in svg


def test_colours_are_the_style_sheets():
    plot = a_plot()
    plot.dots([1.0], [2.0], "var(--teal)")
    assert not re.search(r"#[0-9a-f]{6}", plot.svg())
