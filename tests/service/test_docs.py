"""docs/service.md and docs/configuration.md say what the code does: flags, metrics, routes, variables, files."""

import json
import re
from pathlib import Path

import typer

from harness.cli import serve
from harness.orchestration import StrategyType
from harness.orchestration.config_file import load_providers_file
from harness.orchestration.routing import resolve_routing
from harness.service.problems import _UPSTREAM
from harness.telemetry import METRICS
from harness.telemetry.catalogue import COMPLETED_TAGS, FAILED_TAGS

ROOT = Path(__file__).parents[2]
SERVICE = (ROOT / "docs/service.md").read_text()
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()


def test_every_flag_of_serve_is_documented_and_none_is_made_up() -> None:
    command = typer.main.get_command(serve.app)
    flags = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    table = SERVICE.partition("## Flags")[2].partition("##")[0]
    assert set(re.findall(r"`(--[a-z-]+)`", table)) == {flag for flag in flags if "completion" not in flag}


def test_every_metric_and_tag_is_documented() -> None:
    for metric in METRICS:
        assert f"| `{metric.name}` | {metric.kind} | {metric.unit} |" in SERVICE
    for tag in (*COMPLETED_TAGS, *FAILED_TAGS):
        assert f"`{tag}`" in SERVICE


def test_every_status_is_documented() -> None:
    statuses = {str(int(status)) for status, _ in _UPSTREAM.values()}
    assert all(status in SERVICE for status in statuses | {"400", "404", "405", "429", "500"})


def test_every_setting_and_strategy_type_is_documented() -> None:
    for setting in resolve_routing({}).settings:
        if setting.name.isupper() and not setting.name.startswith(("PERF_", "DD_")):
            assert f"`{setting.name}`" in CONFIGURATION, setting.name
    for kind in StrategyType:
        assert f"| `{kind}` |" in CONFIGURATION


def test_the_documented_providers_file_is_the_shipped_example(tmp_path: Path) -> None:
    block = re.search(r"\n    \{\n(?:    .*\n)+?    \}\n", CONFIGURATION)
    assert block is not None
    path = tmp_path / "providers.json"
    path.write_text(block.group())
    load_providers_file(path)
    assert json.loads(block.group()) == json.loads((ROOT / "config/providers.hybrid.json").read_text())
