"""docs/emulator.md names every fault, rule field and route there is."""

from pathlib import Path

import pytest

from harness.emulator import FaultKind, FaultRule
from harness.emulator.faults import ALIASES

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()


@pytest.mark.parametrize("word", [*FaultKind, *ALIASES, *FaultRule.model_fields])
def test_every_fault_and_rule_field_is_documented(word):
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize(
    "route",
    [
        "/v1/messages",
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/files",
        "/v1/batches",
        ":generateContent",
        ":streamGenerateContent?alt=sse",
        ":countTokens",
        "/v1beta/models",
        "/model/MODEL/converse",
        "/converse-stream",
    ],
)
def test_every_route_is_documented(route):
    assert route in PAGE
