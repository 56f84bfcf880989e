"""Result files that the real tools wrote, imported: counts, times, tokens and dollars are the serving side's own."""

import gzip
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.errors import ConfigError, UsageError
from harness.imports.results.discovery import result_formats
from harness.imports.results.source import ResultFile
from harness.imports.results.taking import ResultReport, import_result
from harness.pricing import PriceBook
from harness.records.told_by_tool import Grain
from harness.store import open_store
from tests.campaigns.campaign_imports import aggregate_differences
from tests.cli.test_config_and_strategies import run as run_harness
from tests.imports.results.truth import Served, differences, samples

AT = datetime(2026, 11, 30, tzinfo=UTC)
BOOK = PriceBook.load()
SAMPLES = samples()


def served(tool: str) -> Served:
    return Served(
        entries=[json.loads(line) for line in (SAMPLES / tool / "ledger.jsonl").read_text().splitlines()]
    )


def take(store: Path, name: str, **options) -> ResultReport:
    return import_result(store, SAMPLES / name, BOOK, at=AT, provider="openai", **options)


def wrong(store: Path, report: ResultReport, truth: Served, unpriced=()) -> list[str]:
    with open_store(store).snapshot() as view:
        return differences(view, report.run_id, truth, unpriced=unpriced)


def test_promptfoo_counts_repeats_failures_and_unknown_prices(tmp_path):
    report = take(tmp_path, "promptfoo/first.json")
    truth = Served(entries=served("promptfoo").entries[:24])
    assert (report.requests, report.failed) == (24, sum(entry["status"] != 200 for entry in truth.entries))
    assert wrong(tmp_path, report, truth, unpriced=["mistral-large-latest"]) == []
    assert report.unpriced == {"openai/mistral-large-latest": 6}
    with open_store(tmp_path).snapshot() as view:
        rows = view.rows(
            """SELECT strategy, count(DISTINCT case_id), max(repeat), count(quality_score) FROM requests
            GROUP BY ALL ORDER BY 1"""
        )
        (failed,) = view.dicts("SELECT * FROM requests WHERE status <> 'ok'")
    assert [row[:3] for row in rows] == [(name, 3, 2) for name in sorted(row[0] for row in rows)]
    assert {row[3] for row in rows} <= {
        3,
        4,
    }  # cocoa asserts nothing: ungraded, though it scores 1; so is a failure
    assert (failed["http_status"], failed["error_kind"]) == (500, "upstream_5xx")
    assert failed["cost_usd"] is None


def test_promptfoo_s_own_cache_times_and_pays_nothing(tmp_path):
    report = take(tmp_path, "promptfoo/again.json")
    with open_store(tmp_path).snapshot() as view:
        rows = view.rows("SELECT cost_usd, latency_ms, draft_input_tokens FROM requests WHERE cost_usd = 0")
    assert len(rows) == report.from_cache > 0
    assert {row[1:] for row in rows} == {(None, None)}
    rest = Served(entries=served("promptfoo").entries[24:])  # Anthropic's answers are not in its cache
    assert wrong(tmp_path, report, rest) == []


def test_promptfoo_told_the_cost_of_some_cached_answers_again(tmp_path):
    """As version 0.121.20 wrote an answer of Anthropic's out of its cache."""
    usage = {"cached": 58, "total": 58}
    response = {"cost": 6.25e-05, "cached": True, "tokenUsage": usage, "output": "x"}
    row = {
        "provider": {"id": "anthropic:messages:claude-3-haiku-20240307", "label": ""},
        "response": response,
        "testIdx": 0,
        "failureReason": 0,
        "latencyMs": 12,
        "cost": 6.25e-05,
        "vars": {"topic": "tea"},
        "score": 1,
    }
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"evalId": "x", "results": {"version": 3, "results": [row]}}))
    report = import_result(tmp_path / "store", path, BOOK, at=AT)
    with open_store(tmp_path / "store").snapshot() as view:
        assert view.rows("SELECT cost_usd, latency_ms, draft_model FROM requests") == [
            (0, None, "claude-3-haiku-20240307")
        ]
    assert any("$0.0000625 once more" in remark for remark in report.told.remarks)


def test_inspect_logs_of_both_kinds(tmp_path):
    by_model = served("inspect").entries
    for name, model in (("teas.eval", "gpt-4o-mini"), ("faulty.json", "claude-3-haiku-20240307")):
        report = take(tmp_path, f"inspect/{name}")
        truth = Served(entries=[entry for entry in by_model if entry["model"] == model])
        assert wrong(tmp_path, report, truth) == []
    assert (report.requests, report.failed) == (4, 2)  # the errored samples, in every epoch
    with open_store(tmp_path).snapshot() as view:
        scores = view.rows(
            "SELECT case_id, list(quality_score ORDER BY repeat) FROM requests WHERE scenario = 'teas' GROUP BY ALL ORDER BY 1"
        )
        cached = view.rows("SELECT sum(draft_cache_read_tokens) FROM requests WHERE scenario = 'teas'")
    assert scores == [("coffee", [0.0, 0.0]), ("milk", [1.0, 1.0]), ("tea", [1.0, 1.0])]
    assert cached[0][0] > 1000  # which the log's own input_tokens leave out


def test_guidellm_from_the_schedule_and_what_it_lost(tmp_path):
    report = take(tmp_path, "guidellm/guidellm.json")
    entries = served("guidellm").entries
    assert (len(entries), report.requests, report.failed) == (20, 19, 2)
    assert wrong(tmp_path, report, Served(entries=entries[:19])) == []
    with open_store(tmp_path).snapshot() as view:
        run = view.run(report.run_id)
        assert view.rows("SELECT count(*) FROM requests WHERE status = 'ok' AND latency_ms < service_ms") == [
            (0,)
        ]
    assert run.summary["unfinished"] == 1
    assert run.config["imported"]["latency_begins"] == "schedule"


def test_aiperf_is_one_run_whichever_of_its_files_is_given(tmp_path):
    report = take(tmp_path, "aiperf/profile_export.jsonl")
    assert wrong(tmp_path, report, served("aiperf")) == []
    assert report.failed == sum(entry["status"] != 200 for entry in served("aiperf").entries)
    for other in ("profile_export_aiperf.json", "profile_export_aiperf.csv"):
        assert take(tmp_path, f"aiperf/{other}").known
    told = {one.name: one for one in report.told.figures}
    assert told["failures"].value == report.failed
    assert "p99_adjusted_service_ms" not in told  # infinite, which the file tells by leaving it out


def test_aiperf_s_table_alone_is_rounded(tmp_path):
    lonely = tmp_path / "table.csv"
    lonely.write_bytes((SAMPLES / "aiperf/profile_export_aiperf.csv").read_bytes())
    report = import_result(tmp_path / "store", lonely, BOOK, at=AT)
    told = {one.name: one for one in report.told.figures}
    assert report.requests == 0
    assert told["p95_service_ms"].grain is Grain.ROUNDED


@pytest.mark.parametrize("name", ["locust/tea.json", "locust/tea_stats.csv", "artillery/report.json"])
def test_aggregates_are_told_and_make_no_rows(tmp_path, name):
    report = take(tmp_path, name)
    assert report.requests == 0
    assert aggregate_differences(report, served(name.partition("/")[0])) == []
    p95 = next(one for one in report.told.figures if one.name == "p95_ms" and one.group is None)
    assert p95.grain is (Grain.SKETCH if "artillery" in name else Grain.ROUNDED)


def test_an_aggregate_is_shown_judged_inconclusive_and_not_compared(tmp_path, monkeypatch, capfd):
    take(tmp_path, "artillery/report.json")
    take(tmp_path, "guidellm/guidellm.json")
    store = ["--store", str(tmp_path)]
    assert run_harness(["runs", "show", "artillery-report", *store], monkeypatch) == 0
    assert "told by artillery, not measured here" in capfd.readouterr().out
    assert run_harness(["gate", "artillery-report", *store], monkeypatch) == 3
    assert "artillery told aggregates alone, p95" in capfd.readouterr().out
    assert run_harness(["compare", "artillery-report", "guidellm-guidellm", *store], monkeypatch) == 3
    assert "artillery told aggregates alone" in capfd.readouterr().out
    assert run_harness(["gate", "guidellm-guidellm", *store], monkeypatch) == 1  # two of its requests failed
    assert "sent and never recorded" in capfd.readouterr().out
    assert run_harness(["gate", *store], monkeypatch) == 2  # an import never stands for the latest baseline
    assert run_harness(["runs", "reprice", "guidellm-guidellm", *store], monkeypatch) == 0


def test_the_command_says_what_it_took_and_that_it_knows_it(tmp_path, monkeypatch, capfd):
    command = ["import", str(SAMPLES / "promptfoo/again.json"), "--store", str(tmp_path)]
    assert run_harness(command, monkeypatch) == 0
    assert "promptfoo 0.123.1, again.json: 24 requests" in capfd.readouterr().out
    assert run_harness([*command, "--json"], monkeypatch) == 0
    assert json.loads(capfd.readouterr().out)["known"] is True
    with open_store(tmp_path).snapshot() as view:
        assert view.rows("SELECT count(*) FROM requests") == [(24,)]


def test_gzip_is_read(tmp_path):
    packed = tmp_path / "tea.json.gz"
    packed.write_bytes(gzip.compress((SAMPLES / "locust/tea.json").read_bytes()))
    assert import_result(tmp_path / "store", packed, BOOK, at=AT).tool == "Locust"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.json", "", "is empty"),
        ("other.json", '{"something": 1}', "it begins with something"),
        ("words.txt", "no file of any tool", "neither JSON nor CSV"),
        ("cut.json", '{"results": {"results": [', "is no result file that is known"),
        ("none.json", '{"evalId": "x", "results": {"version": 3, "results": []}}', "holds no request"),
        (
            "bad.json",
            '{"evalId": "x", "results": {"version": 3, "results": [1, {}]}}',
            "line 1: is no result of a test",
        ),
        ("tea_failures.csv", "Method,Name,Error,Occurrences\nGET,/,x,1\n", "import the file *_stats.csv"),
        ("cut_stats.csv", "Type,Name,Request Count,Failure Count\nGET,/,1,0\n", "it was cut short"),
        ("header.json", '{"version": 2, "eval": {"task": "t", "model": "m"}}', "without its samples"),
    ],
)
def test_what_holds_nothing_is_one_sentence_and_leaves_nothing(
    tmp_path, monkeypatch, capfd, name, content, said
):
    path = tmp_path / name
    path.write_text(content)
    assert run_harness(["import", str(path), "--store", str(tmp_path / "store")], monkeypatch) == 2
    assert said in capfd.readouterr().err
    assert not (tmp_path / "store").exists()


def test_a_format_must_fit_and_exist(tmp_path):
    with pytest.raises(UsageError, match="there is aiperf, artillery"):
        take(tmp_path, "locust/tea.json", format_name="jmeter")
    with pytest.raises(ConfigError, match="is not promptfoo JSON"):
        take(tmp_path, "locust/tea.json", format_name="promptfoo")
    assert take(tmp_path, "locust/tea.json", format_name="locust").format == "locust"


def test_every_sample_is_of_one_format_alone():
    for path in SAMPLES.glob("*/*"):
        if path.name != "ledger.jsonl":
            source = ResultFile(path)
            assert len([one for one in result_formats() if one.recognises(source)]) == 1, path


def test_damaged_files_end_in_a_sentence_never_in_a_trace(tmp_path):
    draw = random.Random(7)
    paths = [
        path
        for path in sorted(SAMPLES.glob("*/*"))
        if path.name != "ledger.jsonl" and path.stat().st_size < 70_000
    ]
    for n in range(60):
        data = bytearray(draw.choice(paths).read_bytes())
        for _ in range(draw.randrange(1, 4)):
            at = draw.randrange(len(data))
            data[at : at + draw.randrange(40)] = draw.choice(
                [b"", b"null", b"-1", b"NaN", b"[]", b'"x"', b"\xff\x00"]
            )
        broken = tmp_path / "broken"
        broken.write_bytes(bytes(data))
        try:
            report = import_result(tmp_path / "store", broken, BOOK, at=AT)
        except UsageError:
            continue
        assert report.known or report.requests + report.bad_rows > 0 or report.told.figures, n
