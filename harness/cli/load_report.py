"""The end of a run: its figures, its verdict, its report files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.cli.gate import record_verdict
from harness.cli.run_source import latest_ruler
from harness.gate import GateLimits, GateReport, evaluate_gate, gate_input
from harness.records import RunStatus
from harness.report import RunSummary, run_summary, summary_table, write_reports
from harness.store import open_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a finished run amounts to."""

    summary: RunSummary
    gate: GateReport
    status: RunStatus
    reports: dict[str, Path]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "run_id": self.summary.run.run_id,
            "name": self.summary.run.name,
            "status": self.status,
            "summary": self.summary,
            "gate": self.gate.as_json(),
            "reports": {kind: str(path) for kind, path in self.reports.items()},
        }

    def show(self, console: Console) -> None:
        """For people."""
        console.print(summary_table(self.summary))
        console.print(Text(self.gate.headline, style="bold"))
        for kind, path in self.reports.items():
            console.print(f"{kind}: {path}", soft_wrap=True)


def conclude(store_dir: Path, run_id: str, *, limit_ms: float) -> Conclusion:
    """Compute, judge and report a stored run; the verdict is kept beside it.

    Args:
        store_dir: where it is.
        run_id: which one.
        limit_ms: the latency limit the gate is asked about, milliseconds.
    """
    with open_store(store_dir).snapshot() as view:
        run = view.run(run_id)
        requests = view.requests(run_id, include_warmup=True)
        calls = view.calls(run_id)
        ruler = latest_ruler(view)
    summary = run_summary(requests, calls, run)
    gate = evaluate_gate(gate_input(run, requests, calls), GateLimits(max_p95_ms=limit_ms))
    record_verdict(gate, store_dir)
    files = write_reports(
        summary,
        run,
        requests,
        calls,
        store_dir / "reports",
        gate=gate.as_json(),
        limit_ms=limit_ms,
        ruler=ruler,
    )
    reports = {"html": files.html, "json": files.json, "markdown": files.markdown}
    return Conclusion(summary=summary, gate=gate, status=run.status, reports=reports)
