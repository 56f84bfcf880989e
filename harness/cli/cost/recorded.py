"""`harness cost --run`: a recorded run taken apart."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from harness.cli.console import out, print_json
from harness.errors import UsageError
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef, cost_breakdown
from harness.records import ProviderMode, Request
from harness.report.answering import answering, answering_payload, remarks
from harness.report.cost import cost_payload
from harness.report.cost_terminal import draw_run
from harness.report.run_cost import run_payload, run_requests
from harness.store import open_store


def show_run(
    store_dir: Path,
    reference: str,
    book: PriceBook,
    also: Sequence[ModelRef],
    *,
    per_month: int | None,
    as_json: bool,
) -> None:
    """Print what a run cost, by its recorded calls, and what else the same tokens could have cost.

    Raises:
        StoreError: no store.
        UnknownRunError: no such run.
        UsageError: the run recorded no call whose model is known.
    """
    opened = open_store(store_dir)
    opened.ingest()
    with opened.snapshot() as view:
        run = view.run(reference)
        requests = view.requests(run.run_id, include_warmup=True)
        calls = view.calls(run.run_id)
        answered = answering(view, run.run_id, book)
    found = run_requests(requests, calls)
    if not found:
        raise UsageError(f"run {run.run_id} recorded no call, nor which models its requests used")
    breakdown = cost_breakdown(found, book, also=also)
    mode = run.provider_mode or _mode_of(requests)
    if as_json:
        head = {"run_id": run.run_id, "provider_mode": mode}
        payload = cost_payload(breakdown, per_month=per_month) | run_payload(breakdown)
        print_json(head | payload | {"as_answered": answering_payload(answered)})
        return
    out.print(
        Text(
            f"Run {run.run_id} ({run.name}), provider mode {mode or 'unknown'}, {len(found):,} requests",
            "bold",
        )
    )
    draw_run(out, breakdown, per_month=per_month)
    for remark in remarks(answered):
        out.print(Text(remark, "yellow"))


def _mode_of(requests: Sequence[Request]) -> ProviderMode | None:
    """What answered a service's requests: its run row cannot know beforehand."""
    modes = {row.provider_mode for row in requests if not row.warmup}
    if len(modes) > 1:
        return ProviderMode.MIXED
    return next(iter(modes), None)
