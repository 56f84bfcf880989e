"""Percentiles: by hand, against DuckDB, and with failures above every success."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.percentile import latency_percentile, min_requests

latencies = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=100, max_size=400)


def test_interpolates_as_computed_by_hand():
    # h = 19 * 0.95 = 18.05: 0.95 of the way lies 5% beyond the 19th of 20 values
    quantile = latency_percentile([float(value) for value in range(10, 210, 10)], q=0.95)
    assert quantile.value_ms == pytest.approx(190.5)
    assert quantile.n == 20


def test_300_requests_keep_their_tenth_of_a_millisecond():
    # h = 299 * 0.95 = 284.05; x[284] and x[285] are both 8,010.6
    values = [4000.0] * 284 + [8010.6] * 16
    assert latency_percentile(values, q=0.95).value_ms == pytest.approx(8010.6)


@given(latencies, st.sampled_from([0.0, 0.25, 0.5, 0.9, 0.95, 0.99]))
def test_equals_duckdbs_quantile_cont(values, q):
    with duckdb.connect() as connection:
        (expected,) = connection.execute(
            "SELECT quantile_cont(x, ?) FROM (SELECT unnest(?::DOUBLE[]) AS x)", [q, values]
        ).fetchall()[0]
    assert latency_percentile(values, q=q).value_ms == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(latencies, st.integers(0, 50), st.sampled_from([0.5, 0.95, 0.99]))
def test_failures_never_lower_a_percentile(values, failures, q):
    alone = latency_percentile(values, q=q)
    joined = latency_percentile(values, failures=failures, q=q)
    assert alone.value_ms is not None
    assert joined.over_limit or (joined.value_ms is not None and joined.value_ms >= alone.value_ms - 1e-9)


def test_a_neighbouring_failure_puts_the_percentile_over_every_limit():
    # n = 100, h = 94.05: the neighbours are the 95th and 96th; the 96th is a failure
    quantile = latency_percentile([100.0] * 95, failures=5, q=0.95)
    assert (quantile.value_ms, quantile.over_limit, quantile.n) == (None, True, 100)
    inside = latency_percentile([100.0] * 96, failures=4, q=0.95)
    assert (inside.value_ms, inside.over_limit) == (100.0, False)


def test_an_exact_rank_needs_only_itself():
    # n = 101, h = 95 exactly: the 96th of 101 decides, the failure after it does not
    assert latency_percentile([7.0] * 96, failures=5, q=0.95).value_ms == 7.0


@pytest.mark.parametrize("values", [[], [5.0], [5.0] * 19])
def test_too_few_requests_have_no_p95(values):
    quantile = latency_percentile(values, q=0.95)
    assert quantile.value_ms is None
    assert not quantile.over_limit


def test_least_numbers_of_requests():
    assert [min_requests(q) for q in (0.5, 0.95, 0.99, 0.999)] == [1, 20, 100, 1000]


@pytest.mark.parametrize("bad", [[float("nan")], [float("inf")], [-1.0]])
def test_refuses_what_is_no_latency(bad):
    with pytest.raises(ValueError, match="finite and >= 0"):
        latency_percentile(bad, q=0.5)


def test_refuses_a_percentage_for_a_quantile():
    with pytest.raises(ValueError, match="q must be in"):
        latency_percentile([1.0], q=95)
