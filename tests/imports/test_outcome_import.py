"""Outcomes recorded elsewhere: every format, priced here, bad rows aside, nothing twice, nothing free."""

import csv
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from harness.errors import ConfigError, UsageError
from harness.imports.outcome_columns import chosen_columns, outcome
from harness.imports.outcome_import import import_outcomes
from harness.pricing import PriceBook
from harness.records import RunKind, RunStatus, Tier
from harness.store import open_store
from harness.store.fold import imports
from tests.cli.test_config_and_strategies import run as run_harness

AT = datetime(2026, 11, 1, tzinfo=UTC)
BOOK = PriceBook.load()
ROWS = [
    {
        "item": "q1",
        "model": "openai/gpt-4o-mini",
        "correct": False,
        "prompt_tokens": 2000,
        "completion_tokens": 1200,
    },
    {
        "item": "q1",
        "model": "openai/gpt-4o",
        "correct": True,
        "prompt_tokens": 2000,
        "completion_tokens": 1200,
    },
    {
        "item": "q2",
        "model": "openai/gpt-4o-mini",
        "correct": True,
        "prompt_tokens": 2000,
        "completion_tokens": 1200,
    },
    {"item": "q2", "model": "acme/secret", "correct": True, "prompt_tokens": 10, "completion_tokens": 10},
    {"item": "q2", "model": "openai/gpt-4o", "correct": None, "prompt_tokens": None, "completion_tokens": 5},
]


def written(folder, suffix, rows=ROWS, *, name="table"):
    path = folder / f"{name}{suffix}"
    if suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8-sig")
    else:
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, rows[0].keys(), delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_becomes_the_same_priced_run(tmp_path, suffix):
    store = tmp_path / "store"
    report = import_outcomes(store, written(tmp_path, suffix), BOOK, at=AT)
    assert (report.rows, report.outcomes, report.bad_rows) == (5, 5, 0)
    assert +report.unpriced == {"acme/secret": 1, "openai/gpt-4o": 1}
    assert (report.ungraded, report.untimed) == (1, 5)
    with open_store(store).snapshot() as view:
        run = view.run(report.run_id)
        rows = view.requests(report.run_id)
    assert (run.kind, run.status, run.environment) == (RunKind.EVAL, RunStatus.COMPLETED, "imported")
    assert run.provider_mode is None
    assert [row.cost_usd for row in rows] == [
        Decimal("0.00102"),
        Decimal("0.017"),
        Decimal("0.00102"),
        None,
        None,
    ]
    assert [row.unpriced for row in rows] == [False, False, False, True, True]
    assert [row.quality_tier for row in rows] == [Tier.LOW, Tier.HIGH, Tier.HIGH, Tier.HIGH, None]
    assert [row.case_id for row in rows] == ["q1", "q1", "q2", "q2", "q2"]


def test_the_same_table_is_taken_once_and_other_prices_or_places_change_nothing(tmp_path):
    store = tmp_path / "store"
    first = import_outcomes(store, written(tmp_path, ".csv"), BOOK, at=AT)
    again = import_outcomes(store, written(tmp_path, ".csv", name="copy"), BOOK, at=AT)
    assert (again.known, again.run_id) == (True, first.run_id)
    other = import_outcomes(store, written(tmp_path, ".csv", ROWS[:2], name="other"), BOOK, at=AT)
    assert other.run_id != first.run_id
    with open_store(store).snapshot() as view:
        assert view.rows("SELECT count(*) FROM requests") == [(7,)]


def test_bad_rows_are_set_aside_with_their_line_and_reason(tmp_path):
    table = tmp_path / "table.csv"
    table.write_bytes(
        b"item,model,score,input_tokens,output_tokens,latency_ms\n"
        b"q1,openai/gpt-4o,1,10,10,5\n"
        b"q1,openai/gpt-4o,maybe,10,10,5\n"
        b"\n"
        b"q1,openai/gpt-4o,0.5\n"
        b"q1,openai/gpt-4o,1.5,10,10,5\n"
        b"q1,openai/gpt-4o,1,-1,10,5\n"
        b"q1,openai/gpt-4o,1,1.5,10,5\n"
        b",openai/gpt-4o,1,1,10,5\n"
        b"q1,openai/gpt-4o,1,1,10,inf\n"
        b"q\xff,openai/gpt-4o,1,1,10,5\n"
        b"=cmd(),openai/gpt-4o,1,10,10,nan\n"
    )
    store = tmp_path / "store"
    report = import_outcomes(store, table, BOOK, at=AT)
    assert (report.rows, report.outcomes, report.bad_rows) == (10, 2, 8)
    assert report.problems[0] == "line 3: score is not a number"
    with open_store(store).snapshot() as view:
        problems = [problem for (problem,) in view.rows("SELECT problem FROM quarantine ORDER BY problem")]
        cases = [row.case_id for row in view.requests(report.run_id)]
    assert problems == sorted(
        [
            "line 3: score is not a number",
            "line 5: has 3 cells, the header 6",
            "line 6: score is not between 0 and 1",
            "line 7: input_tokens is not between 0 and 1e+09",
            "line 8: input_tokens is not a whole number",
            "line 9: item is empty",
            "line 10: latency_ms is not between 0 and 1e+09",
            "line 11: is not UTF-8 text, or too long",
        ]
    )
    assert cases == ["q1", "=cmd()"]


def test_bad_json_lines_are_set_aside_too(tmp_path):
    table = tmp_path / "table.jsonl"
    good = json.dumps(ROWS[0])
    table.write_text(f"{good}\n[1]\n{{\n{good}\n" + "[" * 5000 + "\n")
    report = import_outcomes(tmp_path / "store", table, BOOK, at=AT)
    assert (report.outcomes, report.bad_rows) == (2, 3)


def test_a_provider_is_told_apart_defaulted_or_unknown_but_never_guessed():
    columns = {"item": "i", "model": "m", "provider": "p", "score": "s"}
    row = {"i": "q", "m": "openai/gpt-4o", "p": "", "s": "1"}
    assert (outcome(row, columns, None).provider, outcome(row, columns, None).model) == ("openai", "gpt-4o")
    assert outcome({**row, "p": "azure"}, columns, None).model == "openai/gpt-4o"
    bare = {**row, "m": "gpt-4o"}
    assert outcome(bare, columns, "openai").provider == "openai"
    assert outcome(bare, columns, None).provider == "unknown"


def test_a_latency_in_seconds_says_so_and_one_without_a_unit_is_not_guessed():
    names = ["item", "model", "score", "latency_s"]
    columns = chosen_columns(names, [], "t")
    row = {"item": "q", "model": "m", "score": "yes", "latency_s": "1.5"}
    assert outcome(row, columns, None).latency_ms == 1500
    assert "latency_ms" not in chosen_columns(["item", "model", "score", "latency"], [], "t")
    told = chosen_columns(["item", "model", "score", "latency"], ["latency_s=latency"], "t")
    assert told["latency_s"] == "latency"


@pytest.mark.parametrize(
    ("columns", "error", "problem"),
    [
        (["size=x"], UsageError, "expected OURS=THEIRS"),
        (["item"], UsageError, "expected OURS=THEIRS"),
        (["item=nothing"], ConfigError, "has no column 'nothing'"),
    ],
)
def test_a_wrong_column_is_one_sentence(columns, error, problem):
    with pytest.raises(error, match=problem):
        chosen_columns(["item", "model", "score"], columns, "t.csv")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("t.csv", "", "holds no row that can be read"),
        ("t.csv", "item,model\nq,m\n", "has no column for 'score'"),
        ("t.csv", "item,item\n", "column 'item' stands twice"),
        ("t.parquet", "no parquet", "is not a Parquet file"),
        ("t.xlsx", "PK", "is none of .csv, .tsv, .jsonl, .ndjson, .parquet"),
        ("t.csv", None, "there is no such file"),
    ],
)
def test_a_table_that_is_none_is_exit_2(tmp_path, monkeypatch, capsys, name, content, problem):
    if content is not None:
        (tmp_path / name).write_text(content)
    arguments = ["strategies", "import", str(tmp_path / name), "--store", str(tmp_path / "store")]
    assert run_harness(arguments, monkeypatch) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert error.count("\n") == 1


def test_imported_cells_feed_savings_and_frontier_and_are_never_the_latest_beside_our_own(
    tmp_path, monkeypatch, capsysbinary
):
    store = str(tmp_path / "store")
    many = [{**row, "item": f"q{n}", "latency_ms": 900.0 + n} for n in range(30) for row in ROWS[:2]]
    table = str(written(tmp_path, ".csv", many))
    assert run_harness(["strategies", "import", table, "--store", store, "--json"], monkeypatch) == 0
    run_id = json.loads(capsysbinary.readouterr().out)["run_id"]
    assert run_harness(["savings", run_id, "--store", store, "--json"], monkeypatch) == 0
    savings = json.loads(capsysbinary.readouterr().out)
    assert all("IMPORTED" in side["caution"] for side in savings["sides"])
    assert [len(side["what_if"]["cells"]) for side in savings["sides"]] == [1, 1]
    arguments = ["strategies", "frontier", run_id, "--replay", "--store", store, "--json"]
    assert run_harness(arguments, monkeypatch) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert found["provider_mode"] is None
    search = found["search"]
    assert (search["looked_at"], search["units"], search["excluded"]) == (3, 30, 0)
    hedged = {mix["name"]: mix["cost_per_request_usd"]["value"] for mix in search["mixes"]}
    assert max(hedged.values()) < 0.00102 + 0.017  # the second is asked only where the first is late
    assert "IMPORTED" in found["notes"][0]
    with open_store(store).snapshot() as view:
        assert view.run("latest").run_id == run_id  # there is nothing else
    from tests.dashboard.stores import Plan, write  # noqa: PLC0415 - only here

    write(tmp_path / "store", Plan(run_id="own", name="own", start=datetime(2026, 1, 1, tzinfo=UTC)))
    with open_store(store).snapshot() as view:
        assert view.run("latest").run_id == "own"
    assert run_harness(["eval", "--resume", run_id, "--store", store], monkeypatch) == 2


def test_an_import_that_was_killed_is_finished_by_giving_the_table_again(tmp_path, monkeypatch):
    rows = [{**ROWS[0], "item": f"q{n}"} for n in range(60)]
    table, store = written(tmp_path, ".csv", rows), tmp_path / "store"
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from harness.store.fold import imports\n"
        "imports.CHUNK_ROWS = 20\n"
        "from tests.imports.test_outcome_import import AT, BOOK, import_outcomes\n"
        "taken = imports._take\n"
        "def take(*args):\n"
        "    taken(*args)\n"
        "    if len(args[2]) == 20: os.kill(os.getpid(), signal.SIGKILL)\n"
        "imports._take = take\n"
        "import_outcomes(sys.argv[1], Path(sys.argv[2]), BOOK, at=AT)\n"
    )
    died = subprocess.run(
        [sys.executable, "-c", script, str(store), str(table)], cwd=Path(__file__).parents[2], check=False
    )
    assert died.returncode == -signal.SIGKILL
    with open_store(store).snapshot() as view:
        (partial,) = view.runs()
        assert partial.status is RunStatus.INTERRUPTED
        assert len(view.requests(partial.run_id)) == 20
    monkeypatch.setattr(imports, "CHUNK_ROWS", 20)
    report = import_outcomes(store, table, BOOK, at=AT)
    assert (report.known, report.outcomes) == (False, 60)
    with open_store(store).snapshot() as view:
        assert view.run(report.run_id).status is RunStatus.COMPLETED
        assert len(view.requests(report.run_id)) == 60
        assert view.rows("SELECT count(*) FROM quarantine") == [(0,)]
