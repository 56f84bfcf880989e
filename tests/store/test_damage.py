"""Broken blocks: found wherever they are, told in one sentence by whoever reads them, and what still reads is saved."""

import random
from pathlib import Path

import pytest

from harness.errors import StoreDamagedError, StoreError
from harness.store import StorePaths, ingest, open_store
from harness.store.objects.export import export_csv, export_parquet
from harness.store.upkeep.inspection import check_store
from harness.store.upkeep.repair import repair_store
from tests.store.samples import a_call, a_request, a_run, an_event, write

ROWS = 6_000
HEADERS_BYTES = 3 * 4_096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("sound")
    noise = random.Random(7)
    records = [
        record
        for n in range(ROWS)
        for record in (a_request(n), a_call(n), an_event(n, said=f"{noise.getrandbits(900):x}"))
    ]
    write(store, a_run(), *records)
    ingest(store)
    return store


def damaged(sound: Path, store: Path, offset: int, length: int = 64) -> Path:
    content = bytearray(StorePaths(sound).database.read_bytes())
    for place in range(offset, min(offset + length, len(content))):
        content[place] ^= 0xFF
    store.mkdir(exist_ok=True)
    StorePaths(store).database.write_bytes(content)
    return store


def broken_in(sound: Path, store: Path, table: str, column: str) -> Path:
    """A copy with one broken block that the column has a piece in."""
    with open_store(sound).snapshot() as view:
        blocks = [
            block
            for (block,) in view.rows(
                "SELECT DISTINCT block_id FROM pragma_storage_info('db.' || ?) "
                "WHERE column_name = ? AND block_id > 0 ORDER BY 1",
                [table, column],
            )
        ]
    return damaged(sound, store, HEADERS_BYTES + blocks[-1] * 262_144 + 5_000)


def test_every_broken_block_in_use_is_found(sound: Path, tmp_path: Path) -> None:
    size = StorePaths(sound).database.stat().st_size
    unseen = []
    for number, offset in enumerate(range(HEADERS_BYTES + 3_000, size - 64, 262_144)):
        store = damaged(sound, tmp_path / str(number), offset)
        try:
            found = check_store(store)
        except StoreError:
            continue
        if found.sound:
            unseen.append(offset)
            with open_store(store).snapshot() as view:  # then the block was free: everything reads
                for table in ("runs", "requests", "calls", "events"):
                    view.arrow(f"FROM {table}")
    assert len(unseen) < size / 262_144 / 2


def test_reading_a_broken_block_is_one_sentence_wherever(sound: Path, tmp_path: Path) -> None:
    store = broken_in(sound, tmp_path / "store", "events", "payload")
    assert check_store(store, quick=True).sound  # what the quick look does not see
    assert "events: `payload` cannot be read whole" in check_store(store).problems[0]
    opened = open_store(store)
    with opened.snapshot() as view:
        for read in (view.rows, view.dicts, view.arrow, view.kept):
            with pytest.raises(StoreDamagedError, match="is damaged or not a store"):
                read("SELECT payload FROM events")
    with pytest.raises(StoreError):
        export_csv(opened, "events", tmp_path / "events.csv")
    assert not (tmp_path / "events.csv").exists()
    with pytest.raises(StoreError):
        export_parquet(opened, str(tmp_path / "out"))


def test_repair_keeps_what_reads_and_says_what_is_lost(sound: Path, tmp_path: Path) -> None:
    store = broken_in(sound, tmp_path / "store", "events", "payload")
    done = " ".join(repair_store(store).done)
    assert f"{ROWS} rows of requests taken over" in done
    assert f"{ROWS} rows of events taken over" in done
    assert "lost of events: `payload` of" in done
    assert check_store(store).sound
    with open_store(store).snapshot() as view:
        ((rows, known),) = view.rows("SELECT count(*), count(payload) FROM events")
        assert rows == ROWS
        assert 0 < known < ROWS
    assert repair_store(store).done == []


def test_repair_fills_what_is_lost_from_an_export(sound: Path, tmp_path: Path) -> None:
    export_parquet(open_store(sound), str(tmp_path / "out"))
    store = broken_in(sound, tmp_path / "store", "events", "payload")
    done = " ".join(repair_store(store, exported=str(tmp_path / "out")).done)
    assert "rows of events filled from" in done
    with open_store(store).snapshot() as view, open_store(sound).snapshot() as before:
        everything = "SELECT * FROM events ORDER BY ts, request_id"
        assert view.arrow(everything).equals(before.arrow(everything))


def test_a_run_whose_row_is_lost_keeps_its_requests(sound: Path, tmp_path: Path) -> None:
    store = broken_in(sound, tmp_path / "store", "runs", "run_id")
    repair_store(store)
    with open_store(store).snapshot() as view:
        assert view.rows("SELECT count(*) FROM requests SEMI JOIN runs USING (run_id)") == [(ROWS,)]


def test_what_a_foreign_service_told_is_never_a_broken_store(tmp_path: Path) -> None:
    write(tmp_path, an_event(1, None, cost_usd=9), an_event(2, None))
    ingest(tmp_path)
    found = check_store(tmp_path)
    assert found.sound
    assert any("1 requests whose service told a cost" in remark for remark in found.remarks)
