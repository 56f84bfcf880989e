"""Runs named on the command line, opened for queries: of the store, or report files where there is none."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.run_source import open_runs
from harness.errors import UsageError
from harness.figures.selection import Selection
from harness.figures.sides import Side, sides_by_model, sides_of
from harness.store.database.typed import StoredRun

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
    with open_runs(list(dict.fromkeys(references)), store_dir) as found:
        yield [(opened.view, opened.run) for opened in found]


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
