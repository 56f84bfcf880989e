"""A run from elsewhere, taken whole: its rows in chunks, its end and what was refused in the last one."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import duckdb

from harness.records import Request, Run, RunEnd
from harness.store.database.locks import writing
from harness.store.database.migrate import database_error, make_current
from harness.store.database.workbench import open_workbench
from harness.store.fold.fold import fold_stage
from harness.store.fold.ingestion import write_folded
from harness.store.fold.stage import Quarantined, Stage
from harness.store.log_ingest import add_record
from harness.store.paths import StorePaths
from harness.store.spool.codec import TYPE_NAMES, Record
from harness.store.spool.redact import Redactor
from harness.store.spool.writer import store_error

CHUNK_ROWS = 50_000


def is_imported(store_dir: Path, run_id: str) -> bool:
    """The run is in the store, with its end.

    Raises:
        StoreError: the database cannot be used.
    """
    paths = StorePaths(Path(store_dir))
    if not paths.database.exists():
        return False
    with writing(paths):
        make_current(paths)
        connection = open_workbench(paths, read_only=True)
        try:
            found = connection.execute(
                "SELECT 1 FROM db.runs WHERE run_id = ? AND ended_at IS NOT NULL", [run_id]
            ).fetchall()
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error
        finally:
            connection.close()
    return bool(found)


def import_run(
    store_dir: Path,
    run: Run,
    requests: Iterable[Request],
    end: Iterable[RunEnd],
    refused: Sequence[Quarantined],
    *,
    redactor: Redactor | None = None,
) -> None:
    """Take a run; what an earlier attempt had taken already is not taken again.

    Args:
        store_dir: the store's folder; made when missing.
        run: its row.
        requests: its requests; the same ids whenever they are given again.
        end: asked for its one record after the requests are through.
        refused: what could not become a request, read after the requests are through.
        redactor: masks secrets; None takes this process's variables.

    Raises:
        StoreError: the store cannot be written. Nothing is half-taken: the run has no end, and may be given
            again.
    """
    paths = StorePaths(Path(store_dir))
    try:
        paths.spool_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(paths.root, error) from error
    mask = Redactor.from_environment() if redactor is None else redactor
    _take(paths, run.run_id, [run], (), mask)
    for chunk in _chunks(requests):
        _take(paths, run.run_id, chunk, (), mask)
    _take(paths, run.run_id, list(end), refused, mask)


def _chunks(requests: Iterable[Request]) -> Iterator[list[Record]]:
    waiting = iter(requests)
    while chunk := list[Record](islice(waiting, CHUNK_ROWS)):
        yield chunk


def _take(
    paths: StorePaths, run_id: str, records: Sequence[Record], refused: Sequence[Quarantined], mask: Redactor
) -> None:
    with writing(paths):
        make_current(paths)
        connection = open_workbench(paths, read_only=False)
        try:
            known = _known(connection, run_id)
            stage = Stage()
            for place, record in enumerate(records):
                key = record.request_id if isinstance(record, Request) else type(record).__name__
                if key not in known:
                    add_record(
                        stage, TYPE_NAMES[type(record)], record, mask=mask, spool_id=run_id, offset=place
                    )
            stage.quarantine.extend(refused)
            fold_stage(connection, stage)
            connection.execute("BEGIN")
            write_folded(connection)
            connection.execute("COMMIT")
        except duckdb.Error as error:
            raise database_error(paths.database, error) from error
        finally:
            connection.close()


def _known(connection: duckdb.DuckDBPyConnection, run_id: str) -> set[str]:
    """What an earlier attempt has taken: request ids, and `Run` where the run's own row is there."""
    rows = connection.execute("SELECT request_id FROM db.requests WHERE run_id = ?", [run_id]).fetchall()
    runs = connection.execute("SELECT 'Run' FROM db.runs WHERE run_id = ?", [run_id]).fetchall()
    return {name for (name,) in [*rows, *runs]}
