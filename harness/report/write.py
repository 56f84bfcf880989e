"""A run's report as three files: JSON for machines, HTML for people, Markdown for pull requests."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.figures.selection import Rows, Selection
from harness.figures.summary import RunSummary
from harness.outputs import replace_files
from harness.report.document import document_bytes, report_document
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.reading import read_run_id
from harness.store.database.typed import StoredRun
from harness.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPaths:
    """Where the three files of a report are."""

    json: Path
    html: Path
    markdown: Path


def write_reports(
    view: Snapshot,
    run: StoredRun,
    summary: RunSummary,
    out_dir: Path,
    *,
    gate: Mapping[str, Any] | None = None,
    limit_ms: float | None = None,
    ruler: Mapping[str, Any] | None = None,
) -> ReportPaths:
    """Write `<kind>-YYYY-MM-DD-HHmmss.{json,html,md}` and `latest.*`, each whole or not at all.

    Args:
        view: the store, or the records of a report file.
        run: the run.
        summary: of `run_summary`.
        out_dir: the folder; made when missing.
        gate: the gate's JSON (`GateReport.as_json()`), to be shown.
        limit_ms: the latency limit drawn in the charts; None draws the gate's own, or none.
        ruler: the last calibration's payload with its `ts`; the report cites the harness's own error.

    Returns:
        The dated files.

    Raises:
        StoreError: a file cannot be written (StoreFullError: for lack of room); the files that were there
            still are.
    """
    requests = view.requests(run.run_id, include_warmup=True)
    document = report_document(summary, run, requests, view.calls(run.run_id), gate=gate, ruler=ruler)
    rows = Rows(view, Selection(run_ids=(run.run_id,)))
    stem = free_stem(out_dir, run)
    contents = {
        "json": document_bytes(document),
        "html": render_html(summary, run, rows, gate=gate, limit_ms=limit_ms, ruler=ruler).encode(),
        "md": render_markdown(summary, gate=gate).encode(),
    }
    replace_files(
        {
            out_dir / f"{name}.{suffix}": content
            for suffix, content in contents.items()
            for name in (stem, "latest")
        }
    )
    return ReportPaths(
        json=out_dir / f"{stem}.json", html=out_dir / f"{stem}.html", markdown=out_dir / f"{stem}.md"
    )


def free_stem(out_dir: Path, run: StoredRun) -> str:
    """The dated name, the run's own where it is one; the second run of a second gets its id behind it."""
    stem = f"{run.kind.value}-{run.started_at:%Y-%m-%d-%H%M%S}"
    if re.fullmatch(rf"{run.kind.value}-\d{{4}}-\d\d-\d\d-\d{{6}}", run.name):
        stem = run.name
    try:
        taken = read_run_id(out_dir / f"{stem}.json") != run.run_id
    except ConfigError:
        taken = False
    return f"{stem}-{run.run_id}" if taken else stem
