"""Result files made anew by the tools themselves against the emulator, imported, and held against its ledger.

k6, vLLM's bench and inference-perf are not among them: they cannot be had from a registry for this Python, and are
read by their published formats (tests/imports/results).

Run: python -m tests.campaigns.campaign_imports   (needs node, npm, and some 7 GB for guidellm's packages)
`IMPORT_TOOLS=folder` keeps the installed tools, `IMPORT_SAMPLES=folder` keeps small cleaned files of this run.
"""

import json
import os
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.emulator import EmulatorSettings, running_emulator
from harness.emulator.faults import rules_from
from harness.imports.results.taking import ResultReport, import_result
from harness.pricing import PriceBook
from harness.store import open_store
from tests.campaigns.result_tools import TOOLS, Tool
from tests.imports.results.truth import Served, differences

AT = datetime.now(UTC)
_LATER = ("again.json",)
"""Files of a second run, whose answers are out of the tool's own cache."""
_TRACES = {"traceback", "traceback_ansi", "python_version", "platform", "cli_command", "cwd", "stacktrace"}
_BULK = {
    "output",
    "request_args",
    "pdf",
    "text",
    "image",
    "video",
    "audio",
    "tool_call",
    "warnings",
    "percentile_cis",
}
"""Left out of kept guidellm files, which are long."""
LEDGER_COLUMNS = (
    "model", "status", "outcome", "received_at", "first_byte_ms", "finished_ms", "input_tokens", "cache_read_tokens", "output_tokens", "cost_usd",
)  # fmt: skip


def served_run(tool: Tool, home: Path, folder: Path) -> Served:
    """One run of a tool, and what the server knows of it."""
    programs = tool.programs(home)
    settings = EmulatorSettings(speed=20, seed=13, faults=rules_from(list(tool.faults), "the campaign"))
    with running_emulator(settings) as emulator:
        tool.run(programs, folder, emulator.base_url)
        entries = [{name: getattr(entry, name) for name in LEDGER_COLUMNS} for entry in emulator.settled()]
    return Served(entries=entries)


def held(tool: Tool, served: Served, folder: Path) -> list[str]:
    """A table row for each of a tool's files; the last cell says what differs."""
    rows = []
    for name in tool.files:
        store = folder / "store" / name
        report = import_result(store, folder / name, PriceBook.load(), at=AT, provider="openai")
        again = import_result(store, folder / name, PriceBook.load(), at=AT, provider="openai")
        opened = open_store(store)
        with opened.snapshot() as view:
            wrong = _wrong(view, report, served, name, {str(entry["model"]) for entry in served.entries})
        if not again.known:
            wrong.append("taken twice")
        figures = len(report.told.figures) if report.told else 0
        rows.append(
            f"| {report.tool} | {name} | {len(served.entries)} | {report.requests} | {report.failed} | {figures} | {'; '.join(wrong) or 'none'} |"
        )
    return rows


def _wrong(view: Any, report: ResultReport, served: Served, name: str, models: set[str]) -> list[str]:
    if not report.requests:
        return aggregate_differences(report, served)
    own = served
    if report.format == "inspect-ai":  # two logs of one server
        asked = view.rows("SELECT DISTINCT draft_model FROM requests")
        own = Served(entries=[entry for entry in served.entries if (entry["model"],) in asked])
    if report.format == "guidellm":  # it may lose what is still under way when it counts
        by_end = sorted(own.entries, key=lambda entry: str(entry["received_at"]))
        own = Served(entries=by_end[: report.requests])
    if report.format == "promptfoo":  # the ledger goes on with the second run
        own = Served(entries=own.entries[24:] if name in _LATER else own.entries[:24])
    unpriced = [model for model in models if any(name.endswith(model) for name in report.unpriced)]
    return differences(view, report.run_id, own, unpriced=unpriced)


def aggregate_differences(report: ResultReport, served: Served) -> list[str]:
    """What told counts say otherwise than the server; a CSV of Locust may lack the last second."""
    told = {one.name: one.value for one in (report.told.figures if report.told else ()) if one.group is None}
    entries = served.entries
    if report.format == "locust":  # what was under way at its end is in no count of it
        entries = [entry for entry in entries if entry["outcome"] != "disconnected"]
    most_ms = 1000 if report.format == "artillery" else 60_000  # its HTTP timeout there
    failed = sum(
        entry["status"] != 200 or entry["outcome"] != "ok" or entry["finished_ms"] >= most_ms
        for entry in entries
    )
    truth = {"requests": len(entries), "failures": failed}
    short = "_stats.csv" in "".join(report.files)
    return [
        f"{name}: {told.get(name)}, the server {n}"
        for name, n in truth.items()
        if told.get(name) != n and not (short and told.get(name, 0) <= n)
    ]


def keep(tool: Tool, served: Served, folder: Path, samples: Path) -> None:
    """Small copies of a run's files without machine paths and traces, and the ledger beside them."""
    place = samples / tool.name
    place.mkdir(parents=True, exist_ok=True)
    for path in [folder / name for name in tool.files] + sorted(folder.glob("*_failures.csv")):
        if path.suffix == ".eval":
            (place / path.name).write_bytes(path.read_bytes())
            continue
        text = path.read_text().replace(str(folder), "work")
        if path.suffix == ".json":
            unwanted = _TRACES | _BULK if tool.name == "guidellm" else _TRACES
            text = json.dumps(_clean(json.loads(text), unwanted))
        (place / path.name).write_text(re.sub(r"(/[\w.-]+)*/site-packages", "site-packages", text))
    lines = (
        json.dumps({**entry, "received_at": str(entry["received_at"])}, default=str)
        for entry in served.entries
    )
    (place / "ledger.jsonl").write_text("".join(f"{line}\n" for line in lines))


def _clean(value: Any, unwanted: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _clean(inner, unwanted) for name, inner in value.items() if name not in unwanted}
    return [_clean(inner, unwanted) for inner in value] if isinstance(value, list) else value


def main() -> int:
    """Print the table; exit 1 when a file says otherwise than the server."""
    wanted = sys.argv[1:] or [tool.name for tool in TOOLS]
    rows: list[str] = []
    with tempfile.TemporaryDirectory(prefix="import-tools-") as scratch:
        home = Path(os.environ.get("IMPORT_TOOLS", scratch))
        for tool in (one for one in TOOLS if one.name in wanted):
            folder = Path(scratch) / "runs" / tool.name
            folder.mkdir(parents=True)
            served = served_run(tool, home, folder)
            if samples := os.environ.get("IMPORT_SAMPLES"):
                keep(tool, served, folder, Path(samples))
            rows += held(tool, served, folder)
    print("# Result files of other tools\n")
    print("| tool | file | requests served | rows | failed rows | figures told | differs from the server |")
    print("|---|---|---:|---:|---:|---:|---|")
    print("\n".join(rows))
    return 0 if all(row.endswith("| none |") for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
