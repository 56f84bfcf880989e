"""The forecast of an evaluation: what it is drawn from, and how it is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.errors import StoreMissingError
from harness.evaluation import EvaluationForecast, Progress
from harness.evaluation.settings import EvalPlan
from harness.orchestration import Strategy
from harness.records import ProviderMode, Request, RequestStatus
from harness.store.paths import StorePaths

MOST_RECORDED = 2000

_RECORDED = """
SELECT run_id, request_id, case_id, cost_usd FROM requests
WHERE task = ? AND strategy = ? AND draft_source = ? AND draft_model = ?
    AND coalesce(repair_model, ?) = ? AND provider_mode = ?
    AND warmup IS NOT TRUE AND cost_usd IS NOT NULL AND status = 'ok'
    AND NOT EXISTS (
        SELECT 1 FROM calls WHERE calls.run_id = requests.run_id AND calls.request_id = requests.request_id
            AND role <> 'judge'
            AND (price_context = 'cached' OR (coalesce(price_context, 'standard') = 'batch') <> ?))
ORDER BY started_at DESC LIMIT ?"""


def recorded_requests(
    store_dir: Path, task: str, strategies: Sequence[Strategy], *, live: bool, batch: bool
) -> Mapping[str, Sequence[Request]]:
    """Earlier requests by strategy: same task, name, models, provider mode and kind of price; none cached."""
    paths = StorePaths(store_dir)
    if not paths.database.exists() and not paths.spool_dir.exists():
        return {}
    from harness.store import open_store  # noqa: PLC0415 - DuckDB loads when there is something to read

    try:
        opened = open_store(store_dir)
    except StoreMissingError:
        return {}
    opened.ingest()
    mode = ProviderMode.LIVE if live else ProviderMode.EMULATED
    found = {}
    with opened.snapshot() as view:
        for strategy in strategies:
            draft, repair = strategy.draft, strategy.repair.model
            keys = [task, strategy.name, draft.provider, draft.model, repair, repair, mode.value]
            found[strategy.name] = [
                Request(status=RequestStatus.OK, **row)
                for row in view.dicts(_RECORDED, [*keys, batch, MOST_RECORDED])
            ]
    return found


def announce(
    console: Console, plan: EvalPlan, progress: Progress, forecast: EvaluationForecast, *, cases: int
) -> None:
    """Say what will be asked, of whom, and what it should cost."""
    names = len(plan.strategies) + len(plan.models)
    size = f"{cases} cases x {names} strategies x {plan.repeats} repeats"
    console.print(f"{plan.suite.name}: {size}, {forecast.requests:,} requests to make", soft_wrap=True)
    if progress.finished:
        console.print(
            f"resuming: {len(progress.finished):,} are finished and not asked again", soft_wrap=True
        )
    for case in progress.in_doubt:
        where = f"{case.strategy}, {case.case_id}, repeat {case.repeat}"
        console.print(
            Text(
                f"possibly paid twice: {where}: up to ${case.reserved_usd} counts against the budget",
                "yellow",
            )
        )
    for asked in progress.judging_in_doubt:
        where = f"{asked.grader} of {asked.strategy}, {asked.case_id}, repeat {asked.repeat}"
        console.print(
            Text(
                f"possibly paid twice: {where}: up to ${asked.reserved_usd} counts against the budget",
                "yellow",
            )
        )
    if plan.suite.marking.judges:
        console.print(
            f"judged by {', '.join(plan.suite.marking.judges)}; the answers are kept in the store for it",
            soft_wrap=True,
        )
    if not plan.live:
        console.print(
            f"EMULATED providers, latencies divided by {plan.embedded.speed:g} (--speed); nothing is paid",
            style="bold yellow",
            soft_wrap=True,
        )
    interval = f"${forecast.low_usd:.4f} to ${forecast.high_usd:.4f}"
    console.print(f"forecast: ${forecast.cost_usd:.4f} ({interval})", soft_wrap=True)
    for part in forecast.judging:
        amount = f"${part.cost_usd:.4f} of it for {part.requests:,} judgements"
        console.print(f"  {part.strategy}: {amount}", style="dim", soft_wrap=True)
    parts = (*forecast.parts, *forecast.judging)
    for basis in dict.fromkeys(part.basis for part in parts):
        names_of = ", ".join(part.strategy for part in parts if part.basis == basis)
        console.print(f"  {names_of}: {basis}", style="dim", soft_wrap=True)
    if plan.budget_usd is not None:
        console.print(
            f"budget: ${plan.budget_usd}, of which ${progress.committed_usd:f} is used", soft_wrap=True
        )
