"""The response cache: what it serves costs nothing and is marked, and what must not be served is asked."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.evaluation.cache import ResponseCache
from harness.orchestration import resolve_routing
from harness.records import NO_USAGE, Completion, Prompt, Role, Usage
from harness.store.spool.redact import Redactor
from tests.evaluation.batching import billed, document_of, harness_here, recorded
from tests.evaluation.killing import ledger_rows

OPTIONS = [
    "eval", "golden", "--cases", 6, "--strategy", "all-anthropic", "--strategy", "all-openai", "--repeats", 2,
    "--speed", 60, "--defect-rate", "0.5", "--cache",
]  # fmt: skip


def ran(store, number, *more):
    """One evaluation of the store: its document, its rows, and what its emulator served."""
    ledger = store / f"ledger-{number}.jsonl"
    done = harness_here(*OPTIONS, *more, "--store", store, "--ledger", ledger, "--json")
    document = document_of(done)
    run, requests, calls = recorded(store)
    return document, run, requests, calls, ledger_rows(ledger), done.stderr


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    store = tmp_path_factory.mktemp("cache")
    return store, ran(store, 1), ran(store, 2)


def test_a_second_run_is_served_what_the_first_one_kept_and_pays_only_the_rest(twice):
    _, (_, _, _, first_calls, _, _), (_, run, requests, calls, rows, _) = twice
    cached = [call for call in calls if call.price_context == "cached"]
    asked = [call for call in calls if call.price_context == "standard"]
    kept = [call for call in first_calls if call.request_id.endswith(":1")]
    assert len(cached) == len(kept) > 12
    assert {row["call_id"] for row in rows} == {call.call_id for call in asked}
    assert sum(call.cost_usd for call in calls) == billed(rows) == sum(r.cost_usd for r in requests)
    assert run.summary["cache"]["served"] == len(cached)
    assert run.provider_mode == "emulated"


def test_a_cached_answer_costs_nothing_says_so_and_has_no_latency(twice):
    _, _, (document, _, requests, calls, _, said) = twice
    for call in calls:
        if call.price_context == "cached":
            assert (call.cost_usd, call.price_source, call.latency_ms, call.ttft_ms) == (
                0,
                "cache",
                None,
                None,
            )
            assert call.input_tokens == call.output_tokens == 0
    served = {call.request_id for call in calls if call.price_context == "cached"}
    assert {row.latency_ms for row in requests if row.request_id in served} == {None}
    assert all(row.latency_ms > 0 for row in requests if row.request_id not in served)
    assert "were answered from the response cache" in " ".join(document["answer_notes"])
    assert "kept as text" in said


def test_it_serves_the_same_answers_and_only_to_first_repeats(twice):
    _, (_, _, first, _, _, _), (_, _, second, calls, _, _) = twice
    served = {call.request_id.rsplit(":", 1)[1] for call in calls if call.price_context == "cached"}
    assert served == {"1"}
    scores = [
        {(r.strategy, r.case_id): r.quality_score for r in rows if r.repeat == 1} for rows in (first, second)
    ]
    assert scores[0] == scores[1]


def test_a_cached_run_is_no_basis_of_a_forecast_and_reprices_to_nothing(twice):
    store, (_, run, _, first_calls, _, _), _ = twice
    refused = harness_here(
        "eval", "golden", "--strategy", "all-openai", "--budget", "0.0001", "--store", store
    )
    uncached = sum(call.request_id.count("all-openai") for call in first_calls if call.role == "draft")
    assert refused.returncode == 2
    assert (
        f"{uncached + 6} recorded requests" in refused.stderr
    )  # all of the first run, repeats of the second
    repriced = harness_here("runs", "reprice", "latest", "--store", store)
    assert repriced.returncode == 0, repriced.stderr
    assert run.summary["cache"]["served"] == 0


def test_broken_entries_are_counted_asked_again_and_mended(twice, tmp_path):
    store, _, _ = twice
    entries = sorted((store / "cache").glob("*/*.json"))
    entries[0].write_bytes(b"{half")
    entries[1].write_text(entries[1].read_text().replace('"text":"', '"text":" '))
    entries[2].write_bytes(entries[3].read_bytes())
    _, run, _, calls, _, said = ran(store, 3)
    assert run.summary["cache"]["corrupt"] == 3
    assert run.summary["cache"]["kept"] == 3
    assert "3 corrupt entries ignored" in said
    assert Counter(call.price_context for call in calls)["cached"] == len(entries) - 3
    _, run, _, _, _, _ = ran(store, 4)
    assert run.summary["cache"]["served"] == len(entries)


def test_a_cache_that_cannot_be_written_is_one_warning_and_no_lost_record(tmp_path):
    (tmp_path / "cache").write_text("a file stands where the folder should")
    document, run, requests, _, _, said = ran(tmp_path, 1)
    assert document["run"]["status"] == "completed"
    assert len(requests) == 24
    assert said.count("cannot be written") == 1
    assert run.summary["cache"]["unwritten"] > 12


def test_batches_and_the_cache_go_together(tmp_path):
    _, _, _, first, _, _ = ran(tmp_path, 1, "--batch")
    _, run, _, second, rows, _ = ran(tmp_path, 2, "--batch")
    assert {call.price_context for call in first} == {"batch"}
    contexts = Counter(call.price_context for call in second)
    assert contexts["cached"] == run.summary["cache"]["served"] > 12
    assert contexts["batch"] == len(rows)


def test_without_the_flag_nothing_is_kept(tmp_path):
    done = harness_here("eval", "smoke", "--speed", 60, "--store", tmp_path)
    assert done.returncode == 0
    assert not (tmp_path / "cache").exists()


PROMPT = Prompt(role=Role.DRAFT, system="s", user="u", max_tokens=10)
ANSWER = Completion(text="an answer", usage=Usage(input_tokens=5, output_tokens=2), model="gpt-4o-mini")


def route(base_url="http://127.0.0.1:9/v1"):
    env = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": base_url}
    return resolve_routing(env).route_to("openai", "gpt-4o-mini", origin="test")


def cache(folder, **changes):
    return ResponseCache(folder=folder, run_id="run-1", redactor=Redactor(["a-secret-value"]), **changes)


def test_everything_that_determines_an_answer_is_in_its_key(tmp_path):
    found = cache(tmp_path)
    here = route()
    keys = {
        found.key(here, PROMPT, "single"),
        found.key(here, PROMPT, "hybrid"),
        found.key(route("http://127.0.0.1:10/v1"), PROMPT, "single"),
        found.key(replace(here, model="gpt-4o"), PROMPT, "single"),
        found.key(replace(here, provider="other"), PROMPT, "single"),
        found.key(here, replace(PROMPT, system="t"), "single"),
        found.key(here, replace(PROMPT, user="v"), "single"),
        found.key(here, replace(PROMPT, max_tokens=11), "single"),
        found.key(here, replace(PROMPT, temperature=0.0), "single"),
        found.key(here, replace(PROMPT, role=Role.REPAIR), "single"),
        found.key(here, replace(PROMPT, output_schema={"type": "object"}), "single"),
        found.key(here, replace(PROMPT, schema_name="other"), "single"),
        cache(tmp_path, origin="emulator (1, None, None)").key(here, PROMPT, "single"),
        cache(tmp_path, origin="emulator (2, None, None)").key(here, PROMPT, "single"),
    }
    assert len(keys) == 14
    assert found.key(route(), PROMPT, "single") in keys, "the same question has the same key"


def test_an_answer_that_holds_a_secret_is_not_kept(tmp_path):
    found = cache(tmp_path)
    found.keep("ab12", replace(ANSWER, text="it is a-secret-value, they say"))
    assert found.counts.withheld == 1
    assert not [*tmp_path.rglob("*.json")]


def test_a_kept_answer_comes_back_as_one_that_used_nothing_and_no_one_else_can_read_it(tmp_path):
    found = cache(tmp_path)
    found.keep("ab12", ANSWER)
    assert found.find("ab12") == replace(ANSWER, usage=NO_USAGE, price_context="cached")
    (path,) = tmp_path.rglob("*.json")
    assert path.stat().st_mode & 0o077 == 0


FULL_DISK = """
import resource, sys
from pathlib import Path
from tests.evaluation.test_cache import ANSWER, cache
said = []
found = cache(Path(sys.argv[1]), on_problem=said.append)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))
for key in ("ab12", "cd34"):
    found.keep(key, ANSWER)
assert found.counts.unwritten == 2 and len(said) == 1, (found.counts, said)
assert found.find("ab12") is None and found.counts.corrupt == 0
assert not [path for path in Path(sys.argv[1]).rglob("*") if path.is_file()], "something half written is left"
"""


def test_a_full_disk_is_one_warning_and_leaves_nothing_half_written(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
