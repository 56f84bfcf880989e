"""`harness calibrate`: the ruler measures itself, and the result is stored beside the runs."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.lazy import command
from harness.clock import SYSTEM_CLOCK
from harness.errors import EXIT_FAIL
from harness.load import calibration
from harness.load.calibration import Deviation
from harness.load.known import Stall
from harness.load.run import BaselinePlan, run_baseline
from harness.processes.children import ChildGroup, module_command
from harness.records import CALIBRATION_EVENT, BaselineSummary, Event, Request, new_id
from harness.report.tables import plain_table
from harness.store import Spool, ingest, open_store

app = command()

TARGET_MODULE = "harness.load.known_target"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    rows: list[Request]
    lateness_p99_ms: float | None


@app.command()
def calibrate(
    *,
    rps: Annotated[float, typer.Option(min=1, help="Arrivals per second.")] = 20.0,
    duration: Annotated[float, typer.Option(min=5, help="Seconds of each of the three measurements.")] = 60.0,
    stall: Annotated[float, typer.Option(min=0.5, help="Seconds for which the target freezes.")] = 10.0,
    users: Annotated[int, typer.Option(min=1, help="Of the closed loop shown beside.")] = 8,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Measure the harness's own error on this machine against a target whose latencies are known.

    Example: harness calibrate --duration 60
    """
    with tempfile.TemporaryDirectory(prefix="harness-calibrate-") as folder:
        result = _measure(Path(folder), rps=rps, duration_s=duration, stall_s=stall, users=users)
    with Spool.open(store) as spool:
        event = Event(
            ts=SYSTEM_CLOCK.now(),
            name=CALIBRATION_EVENT,
            request_id=None,
            run_id=None,
            environment=None,
            payload=result,
        )
        spool.append(event).result()
    ingest(store)
    if as_json:
        print_json(result)
    else:
        _show(result, out)
    raise typer.Exit(0 if result["within_bounds"] else EXIT_FAIL)


def _measure(folder: Path, *, rps: float, duration_s: float, stall_s: float, users: int) -> dict[str, Any]:
    """Moderate rate first; then the stall, in an open loop and, for comparison, in a closed one."""
    stall_after_s = max(0.5, (duration_s - stall_s) / 2)
    stalling = ["--stall-after", f"{stall_after_s}", "--stall", f"{stall_s}"]
    load = {"rps": rps, "duration_s": duration_s}
    err.print(f"moderate rate: {rps:g}/s for {duration_s:g} s", style="dim")
    moderate, _ = _run(folder / "moderate", [], load)
    err.print(f"a stall of {stall_s:g} s: open loop", style="dim")
    stalled, moment = _run(folder / "open", stalling, load)
    err.print(f"the same stall: {users} users in a closed loop", style="dim")
    closed, _ = _run(folder / "closed", stalling, {**load, "users": users})
    truth = calibration.truth_of(stalled.rows, moment)
    figures: dict[str, tuple[Deviation, ...]] = {
        "moderate": calibration.deviations(moderate.rows, calibration.truth_of(moderate.rows)),
        "stall": calibration.deviations(stalled.rows, truth),
        "closed_loop": calibration.deviations(closed.rows, truth),
    }
    return {
        "id": new_id("calibration"),
        "rps": rps,
        "duration_s": duration_s,
        "stall_s": stall_s,
        "users": users,
        "requests": {
            "moderate": len(moderate.rows),
            "stall": len(stalled.rows),
            "closed_loop": len(closed.rows),
        },
        "gap_variation": calibration.gap_variation(moderate.rows),
        "lateness_p99_ms": {
            "moderate": moderate.lateness_p99_ms,
            "stall": stalled.lateness_p99_ms,
        },
        **{name: [calibration.as_json(d) for d in items] for name, items in figures.items()},
        "within_bounds": calibration.verdict(figures),
    }


def _run(folder: Path, target_options: list[str], load: dict[str, Any]) -> tuple[_Measured, Stall]:
    """One measurement against a fresh target."""
    stall_file = folder / "stall.json"
    folder.mkdir()
    with ChildGroup() as group:
        command = module_command(TARGET_MODULE, *target_options, "--stall-file", str(stall_file))
        child = group.start("known-target", command, serves=True)
        target = f"http://127.0.0.1:{child.wait_port()}"
        plan = BaselinePlan(store_dir=folder, target=target, load={**load, "id_prefix": "calibrate"})
        outcome = run_baseline(plan, Console(quiet=True))
    if outcome.asked_to_end:
        raise KeyboardInterrupt
    with open_store(folder).snapshot() as view:
        rows = view.requests(outcome.run_id)
    start_ns, end_ns = json.loads(stall_file.read_text()) if stall_file.exists() else (0, 0)
    told = BaselineSummary.read(outcome.summary)
    measured = _Measured(rows=rows, lateness_p99_ms=told.lateness_p99_ms)
    return measured, Stall(start_ns=start_ns, end_ns=end_ns)


def _show(result: dict[str, Any], console: Console) -> None:
    rows = []
    for name, title in (
        ("moderate", "moderate rate, open loop"),
        ("stall", f"{result['stall_s']:g} s stall, open loop"),
        ("closed_loop", f"{result['stall_s']:g} s stall, {result['users']} users"),
    ):
        for item in result[name]:
            ratio = item["error_ratio"]
            rows.append(
                (
                    title,
                    f"p{item['q'] * 100:g}",
                    _ms(item["true_ms"]),
                    _ms(item["reported_ms"]),
                    "-" if ratio is None else f"{ratio:+.2%}",
                )
            )
    console.print(plain_table(("measurement", "percentile", "truth", "reported", "error"), rows))
    variation = result["gap_variation"]
    if variation is not None:
        console.print(f"gaps between sends vary by {variation:.3f} (coefficient of variation)")
    late = result["lateness_p99_ms"]["moderate"]
    if late is not None:
        console.print(f"the generator was late by {late:.2f} ms at most 99% of the time")
    console.print(
        "the open loop is within its bounds"
        if result["within_bounds"]
        else "the open loop is NOT within its bounds: this machine is too busy to measure latencies"
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} ms"
