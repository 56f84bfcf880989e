"""What a command imports: how much, and what it must do without. Counts, not times: they do not flake."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from harness.cli.app import COMMANDS, help_text
from harness.cli.root import app
from harness.store import open_store
from tests.store.samples import a_request, a_run, write

HEAVY = ("anthropic", "openai", "locust", "streamlit", "plotly", "matplotlib", "pandas", "jinja2", "gevent")
SPECS = (
    "--draft",
    "anthropic/claude-3-5-sonnet-20241022:2000/1500",
    "--repair",
    "openai/gpt-4o-mini:800/400",
)
ROOT = Path(__file__).resolve().parents[2]
LOADED = """
import runpy, sys
sys.argv[0] = "harness"
try:
    runpy.run_module("harness", run_name="__main__")
except SystemExit as end:
    code = end.code
    assert code in (None, 0, 3), code
print("\\n" + " ".join(sys.modules))
"""


def modules_of(*words: str) -> set[str]:
    """Every module that is loaded when the command has ended."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_help_needs_no_command_line_library():
    found = modules_of("--help")
    assert not found & {*HEAVY, "typer", "rich", "pydantic", "numpy", "duckdb", "asyncio"}
    assert len(found) < 150


def test_help_says_what_the_command_line_library_would_say(monkeypatch):
    for columns in ("100", "80", "60", "40"):
        monkeypatch.setenv("COLUMNS", columns)
        command = get_command(app)
        with command.make_context("harness", [], resilient_parsing=True) as context:
            assert help_text("harness") == command.get_help(context).rstrip()


def test_cost_of_two_specs_needs_neither_store_nor_statistics():
    found = modules_of("cost", *SPECS)
    assert not found & {*HEAVY, "duckdb", "pyarrow", "scipy", "harness.store", "harness.analysis"}
    assert len(found) < 600


@pytest.mark.parametrize("words", [("gate",), ("runs", "list"), ("store", "stats")])
def test_reading_a_store_loads_no_prices_pages_or_frames(words: tuple[str, ...], tmp_path: Path):
    write(tmp_path, a_run(), *(a_request(number) for number in range(1, 30)))
    found = modules_of(*words, "--store", str(tmp_path))
    assert not found & {*HEAVY, "genai_prices", "harness.pricing", "harness.report.charts"}


def test_reading_what_is_in_the_database_loads_no_functions_of_arrow(tmp_path: Path):
    write(tmp_path, a_run(), *(a_request(number) for number in range(1, 30)))
    open_store(tmp_path).ingest(wait=True)
    assert "pyarrow.compute" not in modules_of("runs", "list", "--store", str(tmp_path))


def test_every_command_of_the_table_has_its_file():
    command = get_command(app)
    for name in COMMANDS:
        assert command.get_command(None, name) is not None, name
