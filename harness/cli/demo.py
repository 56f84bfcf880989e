"""`harness demo`: the main job in about a minute, on emulated providers."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from harness.cli.conclusion import conclude
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_FAIL, EXIT_INTERRUPTED
from harness.gate import GateReport
from harness.load.run import DEFAULT_LIMIT_MS, BaselineOutcome, BaselinePlan, run_baseline
from harness.processes.embedded import DRAFT_MODEL, REPAIR_MODEL, EmbeddedTarget
from harness.records import GateVerdict, RunStatus

app = command()

DEMO_SEED = 0
DEMO_RPS = 10.0
DEMO_TARGET = EmbeddedTarget(seed=DEMO_SEED)
SLOWER = (1.0, 2.0, 4.0)
"""What the rate is divided by, from one try to the next, while this machine is too busy for it."""


@app.command()
def demo(
    *,
    requests: Annotated[int, typer.Option(min=1, help="How many requests to send.")] = 300,
    rps: Annotated[float, typer.Option(min=0.1, help="Requests per second offered.")] = DEMO_RPS,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Emulated providers, the service, 300 requests at realistic latencies, a gate and a report.

    Drafts come from one provider and repairs from another, both emulated: no key, no cost, no network.

    Example: harness demo
    """
    err.print(f"hybrid route: anthropic/{DRAFT_MODEL} drafts, openai/{REPAIR_MODEL} repairs, both emulated")
    outcome = run_demo(requests, rps, store, err)
    conclusion = conclude(store, outcome.run_id, limit_ms=DEFAULT_LIMIT_MS)
    if as_json:
        print_json(conclusion.as_json())
    else:
        conclusion.show(out)
        out.print(f"store: {store / 'harness.duckdb'}", soft_wrap=True)
        out.print(Text(f"dashboard: harness dashboard --store {store}", style="bold"), soft_wrap=True)
    raise typer.Exit(_exit_code(outcome.status, conclusion.gate))


def run_demo(
    requests: int, rps: float, store: Path, console: Console, *, embedded: EmbeddedTarget = DEMO_TARGET
) -> BaselineOutcome:
    """The load, once more at half the rate while this machine is too busy for it."""
    for division in SLOWER:
        rate, last = rps / division, division == SLOWER[-1]
        plan = BaselinePlan(
            store_dir=store,
            load={"rps": rate, "duration_s": requests / rate, "seed": DEMO_SEED, "id_prefix": "demo"},
            embedded=embedded,
            give_up_late=not last,
        )
        outcome = run_baseline(plan, console)
        if not outcome.ended.late or outcome.asked_to_end or last:
            break
        console.print(
            f"{outcome.ended.suspicion}. Once more at {rate / 2:g} requests/s", style="bold", soft_wrap=True
        )
    return outcome


def _exit_code(status: RunStatus, gate: GateReport) -> int:
    """Fails with a run that did not finish and with a gate that says FAIL; INCONCLUSIVE is no failure."""
    if status is RunStatus.INTERRUPTED:
        return EXIT_INTERRUPTED
    return EXIT_FAIL if status is RunStatus.FAILED or gate.verdict is GateVerdict.FAIL else 0
