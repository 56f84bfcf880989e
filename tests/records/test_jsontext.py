import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records import dump_json, load_json_exact


@given(st.decimals(min_value=0, max_value=10**6, places=10))
def test_money_keeps_its_digits(amount: Decimal) -> None:
    assert load_json_exact(dump_json({"cost_usd": amount}))["cost_usd"] == amount


def test_not_a_number_becomes_null_and_is_refused_when_read() -> None:
    assert dump_json({"p95_ms": float("nan")}) == b'{"p95_ms":null}'
    with pytest.raises(ValueError, match="NaN is not JSON"):
        load_json_exact('{"p95_ms": NaN}')


@given(st.text())
def test_ascii_only_text_survives_a_header(text: str) -> None:
    encoded = dump_json({"label": text}, ascii_only=True)
    assert encoded.isascii()
    assert load_json_exact(encoded)["label"] == text


def test_moments_are_written_in_utc_and_naive_ones_refused() -> None:
    assert dump_json(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)) == b'"2026-01-02T03:04:05.000006Z"'
    with pytest.raises(TypeError):
        dump_json(datetime(2026, 1, 2))  # noqa: DTZ001


def test_a_number_with_a_giant_exponent_stays_short() -> None:
    assert dump_json(Decimal("1e1000000000")) == b"1E+1000000000"


def test_writing_money_does_not_import_numpy():
    """orjson would, to see whether a Decimal is an array: a stall of 0.2 s in the middle of a load run."""
    code = (
        "import sys; from decimal import Decimal; from harness.records import dump_json; "
        "dump_json({'a': Decimal('1.5')}); sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
