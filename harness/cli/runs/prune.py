"""`harness runs prune`: retention, by run and by age."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.errors import UsageError
from harness.store import open_store
from harness.store.upkeep.prune import PruneReport, prune_runs

_AGE = re.compile(r"^(\d{1,6})([hdw])$")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

app = command()


@app.command()
def prune(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Runs by id, name or unique prefix.")
    ] = None,
    *,
    older_than: Annotated[
        str | None, typer.Option(help="All whose last activity is older: 12h, 30d, 8w.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Remove runs with all their rows; a running one is never touched.

    Example: harness runs prune --older-than 30d --dry-run
    """
    with open_store(store).snapshot() as view:
        run_ids = [view.run(run).run_id for run in runs or []]
    age = None if older_than is None else age_of(older_than)
    report = prune_runs(store, run_ids=run_ids, older_than=age, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "run_ids": report.run_ids, "rows": report.rows})
    else:
        out.print(_sentence(report, dry_run=dry_run))


def age_of(text: str) -> timedelta:
    """An age with its unit: 12h, 30d, 8w.

    Raises:
        UsageError: anything else.
    """
    found = _AGE.match(text.strip())
    if found is None:
        raise UsageError(f"--older-than: '{text[:40]}' is not an age such as 12h, 30d or 8w")
    return int(found[1]) * _UNIT[found[2]]


def _sentence(report: PruneReport, *, dry_run: bool) -> str:
    verb = "would remove" if dry_run else "removed"
    rows = sum(report.rows.values())
    thinned = len(report.thinned_run_ids)
    living = f"; {thinned} living service runs thinned" if thinned else ""
    return f"{verb} {len(report.run_ids)} runs and {rows:,} rows in all{living}"
