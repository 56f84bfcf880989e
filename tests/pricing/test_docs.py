"""Every command and file shown in docs/costs.md works as shown."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.pricing import PriceBook
from harness.records import Usage

PAGE = Path(__file__).parents[2] / "docs" / "costs.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "console" for line in block.splitlines() if line]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(run_harness, monkeypatch, command):
    monkeypatch.chdir(PAGE.parents[1])
    code, text, error = run_harness(*shlex.split(command)[1:])
    assert (code, error) == (0, "")
    assert text


def test_the_overrides_file_prices_what_it_says(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text(next(block for kind, block in BLOCKS if kind == "json"))
    book, at = PriceBook.load(path), datetime(2026, 11, 1, tzinfo=UTC)
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    assert book.price("acme", "acme-large", usage, at=at).cost_usd == 1
    assert (
        book.price("my-gateway", "gpt-4o", usage, at=at).cost_usd
        == book.price("openai", "gpt-4o", usage, at=at).cost_usd
    )
