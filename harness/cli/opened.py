"""Runs named on the command line, opened for queries: of the store, or report files where there is none."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.run_source import is_report_file, tell_unknown
from harness.errors import UsageError
from harness.figures.selection import Selection
from harness.figures.sides import Side, sides_by_model, sides_of
from harness.records import Run
from harness.report.reading import read_report
from harness.store.database.memory_view import records_snapshot
from harness.store.database.typed import StoredRun
from harness.store.reader import open_store

if TYPE_CHECKING:
    from harness.store import Snapshot

OpenedRun = tuple["Snapshot", StoredRun]


@contextmanager
def opened_runs(references: Sequence[str], store_dir: Path) -> Iterator[list[OpenedRun]]:
    """Each run with the snapshot that holds its rows, in the order named, once each.

    Raises:
        StoreError: no store, an empty or a damaged one.
        UnknownRunError: no such run.
        ConfigError: a report file cannot be read.
    """
    with ExitStack() as stack:
        view: Snapshot | None = None
        found = []
        for reference in dict.fromkeys(references):
            if is_report_file(reference):
                found.append(_of_report(reference))
                stack.callback(found[-1][0].close)
                continue
            if view is None:
                store = open_store(store_dir)
                store.ingest(wait=False)
                view = stack.enter_context(store.snapshot())
            found.append((view, view.run(reference)))
        yield found


@contextmanager
def opened_sides(
    references: Sequence[str],
    wanted: Sequence[str],
    store_dir: Path,
    *,
    cases: Sequence[str] = (),
    by: str = "strategy",
) -> Iterator[list[Side]]:
    """The sides of runs and reports, only the wanted strategies, in the order wanted.

    Args:
        references: runs by id, name or prefix, or report files.
        wanted: strategies (or models); empty takes all.
        store_dir: the store.
        cases: patterns of case ids.
        by: strategy, or model.

    Raises:
        UsageError: no counted request, or no such strategy.
    """
    with opened_runs(references, store_dir) as runs:
        whole = Selection(cases=tuple(cases))
        sides = sides_by_model if by == "model" else sides_of
        found = [side for view, run in runs for side in sides(view, run, selection=whole)]
        if not found and not cases:
            raise UsageError(f"no counted request in {', '.join(references)}: nothing to compare")
        if not found:
            raise UsageError(f"no counted request of these cases in {', '.join(references)}")
        names = {side.way for side in found}
        for name in wanted:
            if name not in names:
                known = ", ".join(sorted(n for n in names if n)) or "none"
                raise UsageError(f"--strategy '{name}': no request of that strategy (there are: {known})")
        if wanted:
            found = [side for name in dict.fromkeys(wanted) for side in found if side.way == name]
        yield found


def _of_report(reference: str) -> OpenedRun:
    report = read_report(Path(reference))
    if report.unknown:
        tell_unknown(reference, report.unknown)
    told = {entry.name: getattr(report.run, entry.name) for entry in fields(report.run)}
    plain = {entry.name for entry in fields(Run)} & told.keys()
    row = Run(**{name: told[name] for name in plain})
    view = records_snapshot([row, *report.requests, *report.calls, *report.grades], reference)
    return view, StoredRun(**told)
