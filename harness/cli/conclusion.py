"""The end of a run: its figures, its verdict, its report files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from harness.analysis.goodput import Objectives, decode_tokens_per_s, goodput, output_tokens_per_s
from harness.analysis.interval import Estimate
from harness.cli.gate import record_verdict
from harness.cli.run_source import latest_ruler
from harness.gate import GateLimits, GateReport, evaluate_gate, gate_input
from harness.pricing import PriceBook
from harness.records import Request, RunStatus
from harness.report.figures import RunSummary
from harness.report.summary import run_summary
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
    stream: dict[str, Any]
    steps: list[dict[str, Any]] | None = None
    sustained_rps: float | None = None

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "run_id": self.summary.run.run_id,
            "name": self.summary.run.name,
            "status": self.status,
            "summary": self.summary,
            "gate": self.gate.as_json(),
            "stream": self.stream,
            "steps": self.steps,
            "sustained_rps": self.sustained_rps,
            "reports": {kind: str(path) for kind, path in self.reports.items()},
        }

    def show(self, console: Console) -> None:
        """For people."""
        console.print(summary_table(self.summary))
        for line in _stream_lines(self.stream):
            console.print(line)
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
    with open_store(store_dir).snapshot() as view:
        run = view.run(run_id)
        requests = view.requests(run_id, include_warmup=True)
        calls = view.calls(run_id)
        ruler = latest_ruler(view)
    summary = run_summary(requests, calls, run, book=PriceBook.configured(os.environ))
    gate = evaluate_gate(gate_input(run, requests, calls), GateLimits(max_p95_ms=limit_ms))
    record_verdict(gate, store_dir)
    stream = _stream_figures(requests, objectives or Objectives(latency_ms=limit_ms))
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
    return Conclusion(
        summary=summary,
        gate=gate,
        status=run.status,
        reports=reports,
        stream=stream,
        steps=run.summary.get("steps"),
        sustained_rps=run.summary.get("sustained_rps"),
    )


def _stream_figures(requests: Sequence[Request], objectives: Objectives) -> dict[str, Any]:
    """Goodput by the objectives, and token rates where the target streams."""
    return {
        "objectives": objectives,
        "goodput": goodput(requests, objectives),
        "output_tokens_per_s": output_tokens_per_s(requests),
        "decode_tokens_per_s": decode_tokens_per_s(requests),
    }


def _stream_lines(stream: dict[str, Any]) -> list[str]:
    share: Estimate = stream["goodput"]
    if share.value is None or share.low is None or share.high is None:
        return []
    limits = [
        f"{name} {limit:g} ms"
        for name, limit in (
            ("latency", stream["objectives"].latency_ms),
            ("first token", stream["objectives"].ttft_ms),
            ("between tokens", stream["objectives"].itl_ms),
        )
        if limit is not None
    ]
    lines = [f"goodput {share.value:.1%} ({share.low:.1%} to {share.high:.1%}) within {', '.join(limits)}"]
    if stream["decode_tokens_per_s"] is not None:
        lines.append(
            f"tokens: {stream['decode_tokens_per_s']:.1f}/s within an answer (median), "
            f"{stream['output_tokens_per_s']:.1f}/s over the run"
            if stream["output_tokens_per_s"] is not None
            else f"tokens: {stream['decode_tokens_per_s']:.1f}/s within an answer (median)"
        )
    return lines


def _steps_line(steps: list[dict[str, Any]], sustained_rps: float | None) -> str:
    climbed = ", ".join(
        f"{step['rps']:g}/s {step['over']} of {step['planned']} over"
        if step["finished"]
        else f"{step['rps']:g}/s not reached"
        for step in steps
    )
    best = "none of the steps" if sustained_rps is None else f"{sustained_rps:g}/s"
    return f"highest rate within the limit: {best} ({climbed})"
