"""A run named on the command line: from the store, or from a report file where there is no store."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli.console import err
from harness.errors import UnknownRunError
from harness.inputs import is_file
from harness.keys import without_keys
from harness.records import CALIBRATION_EVENT, ImportConfig, RunKind, RunStatus
from harness.report.wording import printable

if TYPE_CHECKING:
    from harness.store import Snapshot, StoredRun

TagOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="Only requests of this tag; may be repeated."),
]

_MOST_NAMES = 5
FINISHED = (RunStatus.COMPLETED, RunStatus.STOPPED_EARLY, RunStatus.TRUNCATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run, and the snapshot that its rows are read from while it is open.

    Attributes:
        stored: it came from a store that can be added to, so a verdict is kept beside it.
    """

    view: "Snapshot"
    run: "StoredRun"
    stored: bool


@contextmanager
def open_runs(references: Sequence[str | None], store_dir: Path) -> Iterator[tuple[OpenRun, ...]]:
    """The runs of report files, or of the store; None is the latest finished baseline.

    Those of the store share one snapshot: two readers of one process would wait for each other behind an
    ingest that wants to go in between.

    Raises:
        StoreError: no store, an empty or a damaged one.
        UnknownRunError: no such run.
        ConfigError: a report file cannot be read.
    """
    with ExitStack() as stack:
        files = {
            reference: stack.enter_context(_opened_file(reference))
            for reference in references
            if reference is not None and is_report_file(reference)
        }
        if all(reference in files for reference in references):
            yield tuple(files[str(reference)] for reference in references)
            return
        from harness.store import open_store  # noqa: PLC0415 - a report needs none

        store = open_store(store_dir)
        store.ingest(wait=False)
        view = stack.enter_context(store.snapshot())
        yield tuple(
            files[reference]
            if reference in files
            else OpenRun(view=view, run=_stored(view, reference, store_dir), stored=store.writable)
            for reference in references
        )


@contextmanager
def open_run(reference: str | None, store_dir: Path) -> Iterator[OpenRun]:
    """One run; see `open_runs`."""
    with open_runs([reference], store_dir) as (found,):
        yield found


@contextmanager
def _opened_file(reference: str) -> Iterator[OpenRun]:
    from harness.report.reading import read_report  # noqa: PLC0415 - a stored run needs no document models

    report = read_report(Path(reference))
    if report.unknown:
        _tell_unknown(reference, report.unknown)
    with closing(report.snapshot(reference)) as view:
        yield OpenRun(view=view, run=view.run(report.run.run_id), stored=False)


def _stored(view: "Snapshot", reference: str | None, store_dir: Path) -> "StoredRun":
    return view.run(reference) if reference is not None else _newest_baseline(view.runs(), store_dir)


def is_report_file(reference: str) -> bool:
    """True for a reference that names a JSON file rather than a run in the store."""
    return reference.endswith(".json") or ("/" in reference and is_file(Path(reference)))


def _tell_unknown(reference: str, names: Sequence[str]) -> None:
    """A later harness may have written more, or a hand may have misspelt something: say so, and go on."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    shown = ", ".join(name[:60] for name in names[:_MOST_NAMES])
    remark = f"harness: {reference}: keys that this version does not know were left out: {shown}{more}"
    err.print(printable(without_keys(remark)), markup=False, soft_wrap=True)


def latest_ruler(view: "Snapshot") -> dict[str, Any] | None:
    """The last calibration of a store with its `ts`, so that reports can cite the harness's own error."""
    found = view.dicts(
        "SELECT ts, payload FROM events WHERE name = ? ORDER BY ts DESC LIMIT 1", [CALIBRATION_EVENT]
    )
    if not found:
        return None
    payload: dict[str, Any] = loads(found[0]["payload"])
    return {**payload, "ts": found[0]["ts"]}


def _imported(run: "StoredRun") -> bool:
    return ImportConfig.read(run.config).imported is not None


def _newest_baseline(runs: Sequence["StoredRun"], store_dir: Path) -> "StoredRun":
    """The newest baseline: an older one must not stand in for one that was killed."""
    baselines = [run for run in runs if run.kind is RunKind.BASELINE and not _imported(run)]
    if not baselines:
        raise UnknownRunError("latest baseline", str(store_dir))
    newest, *older = baselines
    finished = [run.name for run in older if run.status in FINISHED]
    if newest.status not in FINISHED and finished:
        more = f" and {len(finished) - _MOST_NAMES} more" if len(finished) > _MOST_NAMES else ""
        remark = (
            f"harness: the newest baseline, {newest.name}, is {newest.status}; finished before it: "
            f"{', '.join(finished[:_MOST_NAMES])}{more}; name one to judge that"
        )
        err.print(printable(remark), markup=False, soft_wrap=True)
    return newest
