"""A run named on the command line: from the store, or from a report file where there is no store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.sample import RunFacts
from harness.cli.console import err
from harness.errors import UnknownRunError
from harness.inputs import is_file
from harness.keys import without_keys
from harness.records import CALIBRATION_EVENT, Call, Grade, Request, RunKind, RunStatus
from harness.report.wording import printable

if TYPE_CHECKING:
    from harness.store import Snapshot

_MOST_NAMES = 5
FINISHED = (RunStatus.COMPLETED, RunStatus.STOPPED_EARLY, RunStatus.TRUNCATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRun:
    """A run with its rows, warm-ups included.

    Attributes:
        ruler: what the store's last `harness calibrate` found; None when there was none.
        stored: it came from a store that can be added to, so a verdict is kept beside it.
    """

    run: RunFacts
    requests: Sequence[Request]
    calls: Sequence[Call]
    stored: bool
    grades: Sequence[Grade] = ()
    ruler: Mapping[str, Any] | None = None


def is_report_file(reference: str) -> bool:
    """True for a reference that names a JSON file rather than a run in the store."""
    return reference.endswith(".json") or ("/" in reference and is_file(Path(reference)))


def load_run(reference: str | None, store_dir: Path) -> LoadedRun:
    """The run of a report file, or of the store; None is the newest baseline, whatever became of it.

    Raises:
        StoreError: no store, an empty or a damaged one.
        UnknownRunError: no such run.
        ConfigError: the report file cannot be read.
    """
    if reference is not None and is_report_file(reference):
        from harness.report.reading import read_report  # noqa: PLC0415 - a stored run needs no document models

        report = read_report(Path(reference))
        if report.unknown:
            tell_unknown(reference, report.unknown)
        return LoadedRun(
            run=report.run,
            requests=report.requests,
            calls=report.calls,
            grades=report.grades,
            stored=False,
        )
    from harness.store import open_store  # noqa: PLC0415 - a report needs no DuckDB

    store = open_store(store_dir)
    store.ingest(wait=False)
    with store.snapshot() as view:
        run = view.run(reference) if reference is not None else _newest_baseline(view.runs(), store_dir)
        requests = view.requests(run.run_id, include_warmup=True)
        calls = view.calls(run.run_id)
        grades = view.grades(run.run_id) if run.kind is RunKind.EVAL else []
        ruler = latest_ruler(view)
    return LoadedRun(
        run=run, requests=requests, calls=calls, grades=grades, stored=store.writable, ruler=ruler
    )


def tell_unknown(reference: str, names: Sequence[str]) -> None:
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


def _newest_baseline(runs: Sequence[RunFacts], store_dir: Path) -> RunFacts:
    """The newest baseline: an older one must not stand in for one that was killed."""
    baselines = [run for run in runs if run.kind is RunKind.BASELINE]
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
