# ruff: noqa: S608 - table names are literals, values are bound
"""What is in a store, and whether it holds together."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from harness.store.database.locks import reading
from harness.store.database.migrate import connect, known_version, schema_version
from harness.store.database.tables import PUBLIC_TABLES
from harness.store.paths import StorePaths
from harness.store.reader import open_store
from harness.store.snapshot import Snapshot
from harness.store.spool.lines import parse_lines
from harness.store.upkeep.salvage import unreadable_columns

_LEFTOVERS = ("harness.duckdb.new", "*.part", "harness.duckdb.damaged*")


@dataclass(slots=True, kw_only=True)
class SpoolState:
    """The spools now: bytes not yet in the database included."""

    files: int = 0
    bytes: int = 0
    lines: int = 0
    living_owners: int = 0
    unfinished_bytes: int = 0


@dataclass(slots=True, kw_only=True)
class StoreStats:
    """Sizes and counts; `rows` counts live tails too."""

    path: Path
    schema: int
    database_bytes: int
    spools: SpoolState
    rows: dict[str, int]
    runs_by_kind: dict[str, int]
    first_request_at: datetime | None
    last_request_at: datetime | None


@dataclass(slots=True, kw_only=True)
class StoreCheck:
    """`problems` are wrong and want a repair; `remarks` are worth knowing."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """True when nothing is wrong."""
        return not self.problems


def store_stats(store_dir: Path) -> StoreStats:
    """Count everything.

    Raises:
        StoreError: the store cannot be opened.
    """
    paths = StorePaths(Path(store_dir))
    store = open_store(paths.root)
    with store.snapshot() as view:
        rows = {table: _count(view, table) for table in PUBLIC_TABLES}
        kinds = dict(view.rows("SELECT kind, count(*) FROM runs GROUP BY kind ORDER BY kind"))
        ((first, last),) = view.rows("SELECT min(started_at), max(started_at) FROM requests")
    return StoreStats(
        path=paths.root,
        schema=schema_version(paths) if paths.database.exists() else known_version(),
        database_bytes=sum(
            file.stat().st_size for file in (paths.database, Path(f"{paths.database}.wal")) if file.exists()
        ),
        spools=spool_state(paths),
        rows=rows,
        runs_by_kind=kinds,
        first_request_at=first,
        last_request_at=last,
    )


def check_store(store_dir: Path, *, quick: bool = False) -> StoreCheck:
    """Hold the store against its own rules: keys, sums, references, checksums.

    Args:
        store_dir: the store's folder.
        quick: do not read every value; a broken block that the rules do not touch goes unseen.

    Raises:
        StoreError: it cannot even be opened; `harness store repair` may help.
    """
    paths = StorePaths(Path(store_dir))
    store = open_store(paths.root)
    found = StoreCheck()
    if not quick and paths.database.exists():
        _check_values(paths, found)
    if found.sound:
        with store.snapshot() as view:
            _check_rows(view, found)
    _check_files(paths, found)
    return found


def spool_state(paths: StorePaths) -> SpoolState:
    """Look at every spool file, without a lock: what is being written may be counted or not."""
    state = SpoolState()
    owners = set()
    for segment in paths.segments():
        try:
            data = segment.path.read_bytes()
        except FileNotFoundError:  # ingested and removed meanwhile
            continue
        end = data.rfind(b"\n") + 1
        state.files += 1
        state.bytes += len(data)
        state.lines += data.count(b"\n")
        state.unfinished_bytes += len(data) - end
        if paths.owner_alive(segment.spool_id):
            owners.add(segment.spool_id)
    state.living_owners = len(owners)
    return state


def _count(view: Snapshot, table: str) -> int:
    return int(view.rows(f"SELECT count(*) FROM {table}")[0][0])


_DISAGREEING = """SELECT run_id IN (SELECT run_id FROM runs WHERE kind <> 'eval') AND (
    request_id IN (SELECT request_id FROM events)
    OR run_id IN (SELECT run_id FROM runs WHERE target IS NOT NULL)
) AS told FROM requests WHERE cost_usd <> draft_cost_usd + coalesce(repair_cost_usd, 0)"""
"""What a service told of itself, by event or by header, is data even where it contradicts itself."""

_PROBLEMS = (
    (
        "{n} requests share a run and an id with another",
        "SELECT count(*) FROM (FROM requests SELECT 1 GROUP BY run_id, request_id HAVING count(*) > 1)",
    ),
    (
        "{n} calls share their id with another",
        "SELECT count(*) FROM (FROM calls SELECT 1 GROUP BY call_id HAVING count(*) > 1)",
    ),
    (
        "{n} runs share their id with another",
        "SELECT count(*) FROM (FROM runs SELECT 1 GROUP BY run_id HAVING count(*) > 1)",
    ),
    (
        "{n} requests whose cost is not the sum of draft and repair",
        f"SELECT count(*) FROM ({_DISAGREEING}) WHERE NOT told",
    ),
    (
        "{n} requests with a negative or infinite latency",
        "SELECT count(*) FROM requests WHERE latency_ms < 0 OR NOT isfinite(latency_ms)",
    ),
)
_REMARKS = (
    ("{n} records in quarantine (table `quarantine`)", "SELECT count(*) FROM quarantine"),
    ("{n} runs interrupted", "SELECT count(*) FROM runs WHERE status = 'interrupted'"),
    (
        "{n} requests of runs that are not in the store",
        "SELECT count(*) FROM requests ANTI JOIN runs USING (run_id)",
    ),
    (
        "{n} requests whose service told a cost that is not the sum of draft and repair",
        f"SELECT count(*) FROM ({_DISAGREEING}) WHERE told",
    ),
    ("{n} requests of unknown cost", "SELECT count(*) FROM requests WHERE unpriced"),
)


def _check_rows(view: Snapshot, found: StoreCheck) -> None:
    for into, queries in ((found.problems, _PROBLEMS), (found.remarks, _REMARKS)):
        for sentence, sql in queries:
            ((count,),) = view.rows(sql)
            if count:
                into.append(sentence.format(n=count))


def _check_values(paths: StorePaths, found: StoreCheck) -> None:
    with reading(paths), connect(paths.database, read_only=True) as connection:
        for table, columns in unreadable_columns(connection, paths.database.stem).items():
            named = ", ".join(f"`{column}`" for column in columns)
            found.problems.append(f"{table}: {named} cannot be read whole, a block fails its checksum")


def _check_files(paths: StorePaths, found: StoreCheck) -> None:
    for segment in paths.segments():
        try:
            data = segment.path.read_bytes()
        except FileNotFoundError:
            continue
        bad = sum(line.problem is not None for line in parse_lines(data))
        if bad:
            found.problems.append(
                f"{segment.path.name}: {bad} lines fail their checksum or are of no known type"
            )
        torn = len(data) - data.rfind(b"\n") - 1
        if torn and not paths.owner_alive(segment.spool_id):
            found.remarks.append(
                f"{segment.path.name}: {torn} bytes of an unfinished line, never acknowledged"
            )
    for pattern in _LEFTOVERS:
        for leftover in paths.root.glob(pattern):
            found.remarks.append(f"{leftover.name} is left over")
