"""The end of a run: its figures, its verdict, its report files."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.cli.gate import record_verdict
from harness.cli.run_source import latest_ruler
from harness.figures.goodput import Objectives, goodput
from harness.figures.sides import whole_side
from harness.figures.summary import RunSummary, run_summary
from harness.gate import GateLimits, GateReport, evaluate_gate
from harness.pricing import PriceBook
from harness.records import BaselineSummary, RunStatus
from harness.report.document import summary_document
from harness.report.terminal import summary_table
from harness.report.write import write_reports
from harness.store import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a finished run amounts to."""

    summary: RunSummary
    gate: GateReport
    status: RunStatus
    reports: dict[str, Path]
    objectives: Objectives
    steps: list[dict[str, Any]] | None = None
    sustained_rps: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "run_id": self.summary.run.run_id,
            "name": self.summary.run.name,
            "status": self.status,
            "summary": summary_document(self.summary),
            "gate": self.gate.as_json(),
            "objectives": self.objectives,
            "steps": self.steps,
            "sustained_rps": self.sustained_rps,
            "reports": {kind: str(path) for kind, path in self.reports.items()},
        }

    def show(self, console: Console) -> None:
        """For people."""
        console.print(summary_table(self.summary))
        if self.steps is not None:
            console.print(_steps_line(self.steps, self.sustained_rps))
        console.print(Text(self.gate.headline, style="bold"))
        for kind, path in self.reports.items():
            console.print(f"{kind}: {path}", soft_wrap=True)


def conclude(
    store_dir: Path, run_id: str, *, limit_ms: float, objectives: Objectives | None = None
) -> Conclusion:
    """Compute, judge and report a stored run; the verdict is kept beside it.

    Args:
        store_dir: where it is.
        run_id: which one.
        limit_ms: the latency limit the gate is asked about, milliseconds.
        objectives: what goodput is counted by; None takes the latency limit alone.
    """
    objectives = objectives or Objectives(latency_ms=limit_ms)
    with open_store(store_dir).snapshot() as view:
        run = view.run(run_id)
        book = PriceBook.configured(os.environ)
        summary = run_summary(view, run, also=[goodput(objectives)], book=book)
        gate = evaluate_gate(whole_side(view, run), GateLimits(max_p95_ms=limit_ms))
        files = write_reports(
            view,
            run,
            summary,
            store_dir / "reports",
            gate=gate.as_json(),
            limit_ms=limit_ms,
            ruler=latest_ruler(view),
        )
    record_verdict(gate, store_dir)
    told = BaselineSummary.read(run.summary)
    reports = {"html": files.html, "json": files.json, "markdown": files.markdown}
    return Conclusion(
        summary=summary,
        gate=gate,
        status=run.status,
        reports=reports,
        objectives=objectives,
        steps=told.steps,
        sustained_rps=told.sustained_rps,
    )


def _steps_line(steps: list[dict[str, Any]], sustained_rps: float | None) -> str:
    climbed = ", ".join(
        f"{step['rps']:g}/s {step['over']} of {step['planned']} over"
        if step["finished"]
        else f"{step['rps']:g}/s not reached"
        for step in steps
    )
    best = "none of the steps" if sustained_rps is None else f"{sustained_rps:g}/s"
    return f"highest rate within the limit: {best} ({climbed})"
