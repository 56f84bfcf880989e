"""docs/scenarios.md: its files are read, its commands run, and it has every key that a scenario may have."""

import csv
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from harness.cli.root import app as root
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.spec import AnswerSpec, PollSpec, RequestSpec, ScenarioSpec, StepSpec, StreamSpec
from tests.e2e.foreign_service import foreign_service

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
COMMANDS = re.findall(r"^\$ (harness .*)$", PAGE, re.MULTILINE)
FILES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the files that the page's commands name, and the service that they ask."""
    folder = tmp_path_factory.mktemp("scenarios")
    with (folder / "tickets.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "plan"), ("one", "pro"), ("two", "free")])
    (journey,) = (text for text in FILES if "poll:" in text)
    (folder / "journey.yaml").write_text(journey)
    with foreign_service() as (url, _):
        yield folder, url


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_page_runs(command, place, monkeypatch):
    folder, url = place
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LOAD_PASSWORD", "canary-password")
    done = CliRunner().invoke(root, shlex.split(command.replace("http://127.0.0.1:8000", url))[1:])
    assert done.exit_code == 0, f"{done.output}{done.exception}"


@pytest.mark.parametrize("text", FILES)
def test_each_piece_of_a_file_is_one(text, tmp_path):
    fields = yaml.safe_load(text)
    whole = fields if "steps" in fields else {"path": "/x", "stream": "sse", **fields}
    whole.pop("cases", None)
    if "success" in fields:
        whole.pop("stream")
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(whole))
    read_scenario(tmp_path / "s.yaml")


def test_every_key_is_on_the_page():
    keys = {
        name
        for spec in (ScenarioSpec, RequestSpec, StepSpec, AnswerSpec, StreamSpec, PollSpec)
        for name in spec.model_fields
    }
    assert {name for name in keys if not re.search(rf"\b{name}\b", PAGE)} == set()
