"""A task from an installed package, found by its entry point."""

import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.tasks.decisions import draft_graph, suggest_options
from harness.tasks.registry import TASKS, get_task, task_names

DOCS = Path(__file__).parents[2] / "docs" / "tasks.md"

PACKAGE = """
class EchoTask:
    name = "echo"
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    (tmp_path / "echo_package.py").write_text(PACKAGE)
    info = tmp_path / "echo_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[harness.tasks]\necho = echo_package:EchoTask\ndraft_graph = echo_package:EchoTask\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("echo_package", None)


def test_a_plugged_in_task_resolves_by_name(installed):
    assert get_task("echo").name == "echo"
    assert task_names() == ["draft_graph", "echo", "suggest_options"]


def test_built_in_names_win(installed):
    assert get_task("draft_graph").name == "draft_graph"


def test_without_the_package_the_name_is_unknown():
    with pytest.raises(UsageError, match="no task 'echo'"):
        get_task("echo")


def test_every_built_in_task_says_its_own_name_and_offers_the_protocol():
    for name in TASKS.shipped:
        task = get_task(name)
        assert task.name == name
        for method in ("parse_input", "draft_prompt", "parse", "validate", "repair_prompt", "simple_repair"):
            assert callable(getattr(task, method))


@pytest.mark.parametrize("task", [draft_graph, suggest_options])
def test_every_grader_and_weight_is_documented(task):
    rows = DOCS.read_text().splitlines()
    for grader, weight in task.WEIGHTS.items():
        assert any(row.startswith(f"| `{grader}` | {weight:.2f} |") for row in rows), grader
    assert set(task.__all__) <= set(dir(task))
