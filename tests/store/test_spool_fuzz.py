"""The spool's parser against damage: no crash, no silent drop."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.spool_cases import check_parsing, check_staging, damaged, edits, good_lines, odd_bodies


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(good_lines, max_size=8), changes=edits)
def test_damaged_spools_lose_only_what_was_damaged(
    lines: list[bytes], changes: list[tuple[str, float, bytes]]
) -> None:
    check_parsing(damaged(lines, changes), lines)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_parsed(data: bytes) -> None:
    check_parsing(data, [])


@settings(max_examples=25, deadline=None)
@given(bodies=st.lists(odd_bodies(), min_size=1, max_size=30))
def test_any_body_becomes_a_row_or_is_set_aside(bodies: list[tuple[str, bytes]]) -> None:
    check_staging(bodies)


def test_one_bad_body_among_good_ones_takes_none_with_it() -> None:
    good = ("request", b'{"run_id":"r","request_id":"q","status":"ok"}')
    bad = [
        ("request", b'{"run_id":"r","request_id":"q"'),
        ("request", b'{"run_id":"r","status":"ok"}'),
        ("request", b'{"run_id":"r","request_id":"q","status":"ok","latency_ms":"soon"}'),
        ("request", b'{"run_id":"r","request_id":"q","status":"ok","cost_usd":"1e99"}'),
        ("request", b'{"run_id":"r","request_id":"q","status":"ok","started_at":"yesterday"}'),
        ("request", b'{"run_id":"r","request_id":"q","status":"ok","stages_ms":"{"}'),
        ("request", b'{"run_id":"r","request_id":"q","status":"ok","later_field":1}'),
        ("request", b'{"run_id":"r","request_id":"\xff","status":"ok"}'),
        ("request", b"[]"),
        ("request", b"null"),
        ("request", b""),
    ]
    for body in bad:
        assert check_staging([good, body, good]) == (2, 1), body
    assert check_staging([*bad, good, *bad]) == (1, 2 * len(bad))
