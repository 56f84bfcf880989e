"""`harness power`: how many requests or cases a question needs, before they are paid for."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from harness.analysis.power import (
    RequestPlan,
    cases_for_difference,
    chance_of_passing,
    lognormal_latencies,
    requests_to_tell,
)
from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.opened import opened_runs
from harness.errors import UsageError
from harness.figures.selection import Rows, Selection
from harness.gate.config import parse_duration_ms

app = command()

SHAPE_P50_MS, SHAPE_P95_MS = 3000.0, 6000.0
"""Without a run, latencies are taken as lognormal with p95 twice the p50."""


@app.command()
def power(
    *,
    limit: Annotated[str, typer.Option(help="The latency limit, with its unit.")] = "8s",
    true: Annotated[
        str | None, typer.Option("--true", help="The percentile supposed to be true, with its unit: 7.5s.")
    ] = None,
    q: Annotated[float, typer.Option("--quantile", help="Which percentile, 0..1.")] = 0.95,
    run: Annotated[str | None, typer.Option(help="Take the shape of the latencies from this run.")] = None,
    difference: Annotated[
        float | None, typer.Option(help="Instead: the difference of a mean to see, as 0.05 of a score.")
    ] = None,
    sd: Annotated[
        float | None, typer.Option(help="Its standard deviation: of per-case differences when paired.")
    ] = None,
    unpaired: Annotated[bool, typer.Option("--unpaired", help="The two runs have different cases.")] = False,
    wanted: Annotated[float, typer.Option("--power", help="Chance of the right answer.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Accepted chance of a wrong one.")] = 0.05,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Requests needed to tell a true percentile from a limit, or cases to see a difference.

    Example: harness power --limit 8s --true 7.5s
    """
    for name, value in (("--quantile", q), ("--power", wanted), ("--alpha", alpha)):
        if not 0.0 < value < 1.0:
            raise UsageError(f"{name} must be between 0 and 1, not {value:g}")
    if difference is not None:
        _cases(difference, sd, paired=not unpaired, alpha=alpha, power=wanted, as_json=as_json)
        return
    if true is None:
        raise UsageError("say what to plan: --true 7.5s against --limit, or --difference with --sd")
    shape = _shape(run, store)
    try:
        plan = requests_to_tell(
            shape,
            true_ms=parse_duration_ms(true),
            limit_ms=parse_duration_ms(limit),
            q=q,
            alpha=alpha,
            power=wanted,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    _show(plan, true, limit, q, as_json=as_json)


def _shape(run: str | None, store: Path) -> np.ndarray:
    if run is None:
        return lognormal_latencies(SHAPE_P50_MS, SHAPE_P95_MS)
    with opened_runs([run], store) as ((view, found),):
        rows = Rows(view, Selection(run_ids=(found.run_id,)))
        told = view.columns(
            f"{rows.ctes} SELECT ms FROM counted WHERE status = 'ok' AND ms IS NOT NULL",  # noqa: S608
            rows.values,
        )
    return np.asarray(told["ms"], dtype=np.float64)


def _show(plan: RequestPlan, true: str, limit: str, q: float, *, as_json: bool) -> None:
    passes = {n: chance_of_passing(plan.share_over, requests=n, q=q) for n in (100, 300, 1000)}
    if as_json:
        print_json(
            {
                "requests": plan.requests,
                "share_over": plan.share_over,
                "allowed_share": plan.allowed_share,
                "alpha": plan.alpha,
                "power": plan.power,
                "chance_of_passing": passes,
            }
        )
        return
    needed = "more than ten million" if plan.requests is None else f"{plan.requests:,}"
    out.print(
        f"{needed} requests tell a true p{q * 100:g} of {true} from {limit} "
        f"({plan.power:.0%} power, {plan.alpha:.0%} error; {plan.share_over:.2%} of requests over {limit})"
    )
    for n, chance in passes.items():
        out.print(f"a gate on the point estimate of {n:,} requests passes with a chance of {chance:.1%}")


def _cases(
    difference: float, sd: float | None, *, paired: bool, alpha: float, power: float, as_json: bool
) -> None:
    if sd is None:
        raise UsageError("--difference needs --sd, the standard deviation of what is compared")
    try:
        cases = cases_for_difference(difference, sd, paired=paired, alpha=alpha, power=power)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if as_json:
        print_json({"cases": cases, "difference": difference, "sd": sd, "paired": paired})
        return
    how = "cases, the same in both runs," if paired else "cases in each run"
    out.print(f"{cases:,} {how} show a difference of {difference:g} ({power:.0%} power, {alpha:.0%} error)")
