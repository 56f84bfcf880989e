"""A run's configuration and summary: typed where written, lenient where read, one list of keys."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.records import (
    BaselineConfig,
    BaselineSummary,
    EndSummary,
    EvaluationConfig,
    EvaluationSummary,
    ImportConfig,
    ImportSummary,
    LoadSettings,
    RunConfig,
    ServiceConfig,
    ServiceSummary,
    dump_json,
)

ROOT = Path(__file__).parents[2]
TOLD = [
    BaselineConfig(
        load=LoadSettings(rps=2.0, shape="ramp"), embedded=True, emulator_speed=10.0, limit_ms=8e3
    ),
    EvaluationConfig(suite="s", strategies=["a", "b"], budget_usd=Decimal("0.30"), planned=12, repeats=3),
    ServiceConfig(strategy="hybrid", routes=[{"provider": "p"}], cost_max_usd=Decimal("0.5")),
    ImportConfig(imported={"table": "t.csv"}),
    BaselineSummary(planned=3, suspect=True, suspect_reasons=["late"], empty_columns=["x"]),
    EvaluationSummary(planned=3, committed_usd=Decimal("1.20"), problem=None),
    ServiceSummary(answered=3, dropped={"jsonl": 1}),
    ImportSummary(rows=3, unpriced={"a/b": 2}),
]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: type(told).__name__)
def test_what_is_written_is_read_again_through_json(told):
    stored = json.loads(dump_json(told.as_json()))
    assert type(told).read(stored) == told


def test_only_what_was_told_is_written():
    assert BaselineSummary(planned=3, sent=None).as_json() == {"planned": 3, "sent": None}


def test_an_older_run_lacks_keys_and_a_newer_one_has_more():
    assert EvaluationConfig.read({}).strategies == []
    assert EndSummary.read({}).suspect is None
    newer = {"suite": "s", "colour": {"of": "run"}, "load": {"rps": 1, "wind": 3}}
    assert EvaluationConfig.read(newer).as_json() == newer
    assert BaselineConfig.read(newer).load.as_json() == {"rps": 1.0, "wind": 3}


@pytest.mark.parametrize(
    ("model", "stored", "name", "unknown"),
    [
        (RunConfig, {"emulator_speed": "fast"}, "emulator_speed", None),
        (RunConfig, {"strategies": "hybrid"}, "strategies", []),
        (RunConfig, {"planned": 1.5}, "planned", None),
        (BaselineConfig, {"load": [1]}, "load", LoadSettings()),
        (EndSummary, {"suspect": "maybe"}, "suspect", None),
        (EndSummary, {"suspect_reasons": None}, "suspect_reasons", []),
        (EvaluationSummary, {"committed_usd": "much"}, "committed_usd", None),
    ],
)
def test_an_unreadable_value_of_a_store_is_unknown(model, stored, name, unknown):
    assert getattr(model.read(stored), name) == unknown


def test_a_wrong_value_of_a_programmer_is_refused():
    with pytest.raises(ValidationError):
        RunConfig(planned="many")


def test_suspicion_is_one_clause():
    assert EndSummary().suspicion is None
    assert EndSummary(suspect=False, suspect_reasons=["x"]).suspicion is None
    assert EndSummary(suspect=True, suspect_reasons=["x", "y"]).suspicion == "x; y"
    assert EndSummary(suspect=True).suspicion == "the load generator was late"


def test_sql_asks_for_declared_keys_only():
    assert EndSummary.path("planned") == "$.summary.planned"
    assert RunConfig.path("planned") == "$.planned"
    with pytest.raises(KeyError):
        EndSummary.path("planed")


def test_nobody_looks_a_key_up_by_its_name():
    """The keys are fields of the models; a look-up by text would read None for ever once one is renamed."""
    lookup = re.compile(r"""\.(config|summary)(\.get\(|\[)|["']\w+["'] in \w*\.?run\.config|\$\.summary""")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for folder in ("harness", "dashboard")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if lookup.search(line) and path.name not in ("told.py", "typed.py")
    ]
    assert found == []
