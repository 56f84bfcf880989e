"""Writes docs/reference.md: every command with its flags, every setting, every metric, from the code itself.

`make reference` runs it; a test fails when the page is not what this prints.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from harness.cli.root import app
from harness.figures import all_figures
from harness.telemetry.catalogue import METRICS

PAGE = Path(__file__).with_name("reference.md")

SETTINGS = {
    "LLM_PROVIDER": "provider of every role: `anthropic`, `openai`, `fixtures`, or a configured name",
    "LLM_MODEL": "model of every role; `auto` takes the provider's current default",
    "LLM_STRATEGY": "a strategy's name or file; it replaces the routing",
    "PROVIDERS_CONFIG_PATH": "the providers file, by default `config/providers.json`",
    "ANTHROPIC_API_KEY": "key of `anthropic`; never printed, logged or stored",
    "ANTHROPIC_BASE_URL": "another address for `anthropic`, such as the emulator's",
    "OPENAI_API_KEY": "key of `openai`; never printed, logged or stored",
    "OPENAI_BASE_URL": "another address for `openai`; ends in `/v1`",
    "COST_MAX_USD": "most that one request may cost, by worst case, before its calls are refused",
    "HARNESS_STORE": "the store's folder, by default `results`",
    "HARNESS_ENV": "the environment as recorded; else `DD_ENV`, else `development`",
    "HARNESS_PRICES": "a file of price overrides",
    "PERF_TARGET_URL": "target of `harness baseline`",
    "PERF_DURATION_SEC": "seconds of arrivals of `harness baseline`",
    "PERF_RPS": "requests per second of `harness baseline`",
    "HARNESS_ALERT_RULES": "a file of your own alert rules, beside the built-in ones",
    "HARNESS_ALERT_WEBHOOK": "where alerts are posted (Slack-compatible); a secret, never printed",
    "DD_API_KEY": "key of `harness export datadog --apply`; never printed",
    "DD_APP_KEY": "application key of the same",
    "DD_SITE": "Datadog's site, by default `datadoghq.com`",
    "DD_API_URL": "another address for Datadog's API, such as a proxy's",
    "DD_AGENT_HOST": "DogStatsD host; none means no metrics by UDP",
    "DD_AGENT_PORT": "DogStatsD port",
    "DD_SERVICE": "service tag of the metrics",
    "DD_ENV": "environment tag of the metrics, and the environment when `HARNESS_ENV` is not set",
}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that runs something, by its full name."""
    root = typer.main.get_command(app)
    for name in root.list_commands(None):
        yield from _leaves(f"harness {name}", root.get_command(None, name))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    for child in sorted(command.list_commands(None)):
        yield from _leaves(f"{name} {child}", command.get_command(None, child))


def parameters(command: Any) -> Iterator[tuple[str, str]]:
    """A command's arguments and flags with their help."""
    for parameter in command.params:
        if parameter.name == "help":
            continue
        flags = [*parameter.opts, *parameter.secondary_opts]
        is_flag = any(flag.startswith("-") for flag in flags)
        shown = ", ".join(f"`{flag}`" for flag in flags) if is_flag else f"`{parameter.name.upper()}`"
        yield shown, " ".join((parameter.help or "").split())


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [_row(*header), _row(*("---",) * len(header)), *(_row(*row) for row in rows), ""]


def reference() -> str:
    """The page."""
    lines = ["# Reference", "", "Made by `make reference` from the code.", "", "## Commands", ""]
    for name, command in commands():
        lines += [f"### {name}", "", *_paragraphs(command.help or ""), ""]
        lines += _table(("argument or flag", "meaning"), list(parameters(command)))
    lines += ["## Settings", "", "Environment variables; `harness config show` prints what is in force.", ""]
    lines += _table(("variable", "meaning"), [(f"`{name}`", text) for name, text in SETTINGS.items()])
    lines += ["## Metrics", "", "Sent by DogStatsD and OpenTelemetry, shown on the service's `/metrics`.", ""]
    rows = [(f"`{metric.name}`", metric.kind.value, metric.unit, metric.help) for metric in METRICS]
    lines += _table(("metric", "kind", "unit", "meaning"), rows)
    lines += [
        "## Figures",
        "",
        "What they rest on and how their intervals are made: [figures.md](figures.md).",
        "",
    ]
    figures = [
        (f"`{figure.name}`", figure.title, figure.unit, figure.better, figure.rows, figure.source)
        for figure in all_figures()
    ]
    lines += _table(("figure", "title", "unit", "better", "rows", "from"), figures)
    return "\n".join(lines).rstrip() + "\n"


def _paragraphs(text: str) -> list[str]:
    """The help's paragraphs; its example as code."""
    found = []
    for paragraph in text.split("\n\n"):
        joined = " ".join(paragraph.split())
        found += [f"    {joined.removeprefix('Example: ')}" if joined.startswith("Example: ") else joined, ""]
    return found[:-1]


if __name__ == "__main__":
    PAGE.write_text(reference())
