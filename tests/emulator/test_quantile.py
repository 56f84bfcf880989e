"""The latency curve goes through its points, rises, and is the inverse of its own share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator import LatencyCurve, find_model
from harness.errors import UsageError

SONNET = {"0.5": 3000.0, "0.95": 6000.0, "0.99": 9000.0}
shares = st.floats(0, 1)


def test_the_curve_passes_through_its_points():
    curve = LatencyCurve.through(SONNET)
    assert [curve.quantile_ms(float(p)) for p in SONNET] == pytest.approx([3000, 6000, 9000])


def test_one_point_is_a_constant():
    curve = LatencyCurve.through({"0.5": 40})
    assert {round(curve.quantile_ms(p), 9) for p in (0, 0.3, 0.999)} == {40}


@given(shares, shares)
def test_a_later_quantile_is_never_faster(p, q):
    curve = LatencyCurve.through(SONNET)
    low, high = sorted((p, q))
    assert curve.quantile_ms(low) <= curve.quantile_ms(high)


@given(st.floats(0.001, 0.999))
def test_share_below_is_the_inverse(p):
    curve = LatencyCurve.through(SONNET)
    assert curve.share_below(curve.quantile_ms(p)) == pytest.approx(p, abs=1e-9)


def test_the_tails_are_finite_and_known():
    curve = LatencyCurve.through(SONNET)
    assert curve.quantile_ms(1) == curve.quantile_ms(0.9995) < 17_000
    assert curve.quantile_ms(0) == curve.quantile_ms(0.0005) > 500
    assert (curve.share_below(17_000), curve.share_below(1)) == (1.0, 0.0)


@pytest.mark.parametrize(
    "points",
    [{}, {"0": 10}, {"1": 10}, {"0.5": 0}, {"0.5": float("nan")}, {"0.5": 20, "0.9": 10}, {"half": 3}],
)
def test_points_that_mean_nothing_are_refused(points):
    with pytest.raises(UsageError):
        LatencyCurve.through(points)


def test_the_defaults_are_the_ones_of_the_specification():
    sonnet, mini = find_model("claude-3-5-sonnet-20241022", "anthropic"), find_model("gpt-4o-mini", "openai")
    assert sonnet is not None
    assert mini is not None
    assert [sonnet.latency.quantile_ms(p) for p in (0.5, 0.95, 0.99)] == pytest.approx([3000, 6000, 9000])
    assert [mini.latency.quantile_ms(p) for p in (0.5, 0.95, 0.99)] == pytest.approx([1500, 3000, 4500])
