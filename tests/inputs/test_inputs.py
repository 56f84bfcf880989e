"""One set of protections for every file that users write."""

import os
import stat
from pathlib import Path

import pytest

from harness.emulator.faults import load_rules as load_faults
from harness.errors import ConfigError, UsageError
from harness.evaluation.suite import load_suite
from harness.gate.config import load_gate_config
from harness.inputs import load_json, load_toml, load_yaml, read_text
from harness.load.plan import LoadPlan, replay_offsets
from harness.orchestration.strategy import find_strategy_file
from harness.pricing.overrides import load_overrides
from harness.report.reading import read_report
from harness.store import Redactor
from harness.tasks.briefs import load_cases
from tests.inputs.config_cases import CANARY, CASE_LINE

BOMB = "a: &a [x, x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, r":1: .*anchors and aliases"),
        ("a: *b\n", r":1: .*aliases"),
        ("a: 1\na: 2\n", r":2: .*key 'a' stands twice"),
        ("<<: {a: 1}\na: 2\n", "'<<'|nothing"),
        ("1: x\n", r"the key '1' is not a text"),
        ("on: x\n", r"the key 'on' is not a text"),
        ("? [a]\n: x\n", r"the key is not a text"),
        ("a: !!python/name:os.system\n", r"the tag .* is not plain data"),
        ("a: !!binary aGk=\n", "is not plain data"),
        ("a: !mine x\n", "is not plain data"),
        ("a: .inf\n", "'a' is not a finite number"),
        ("a: [1, -.inf]\n", "'a.1' is not a finite number"),
        ("a: " + "9" * 5000, "a number"),
        ('a: "\\0"\n', "'a' holds a NUL"),
        ('a: "\\ud800"\n', "'a' holds half a character"),
        ("a: \0\n", "a character that YAML does not allow"),
        ("[" * 5000, r":1: .*nested deeper than 50"),
        ("\n".join(" " * n + "a:" for n in range(80)), r":5\d: .*nested deeper than 50"),
        ("a: 1\n---\nb: 2\n", "thing that can be read"),
        ("x" * 200_001, "is larger than 200,000 bytes"),
    ],
)
def test_yaml_that_is_no_plain_data_is_refused_in_one_sentence(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    if "nothing" in problem:  # a merge is a key like any other, which no file of ours has
        assert load_yaml(path, 200_000, what="a thing") == {"<<": {"a": 1}, "a": 2}
        return
    with pytest.raises(ConfigError, match=problem) as caught:
        load_yaml(path, 200_000, what="a thing")
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < 900


def test_dates_stay_the_text_they_are(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 2001-99-99\nb: 2026-01-31\nc: 1e3\n")
    assert load_yaml(tmp_path / "x.yaml", 1000, what="x") == {
        "a": "2001-99-99",
        "b": "2026-01-31",
        "c": "1e3",
    }


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a": 1, "a": 2}', "key 'a' stands twice"),
        (b'{"a": [1, {"b": NaN}]}', "is not JSON"),
        (b'{"a": [1, {"b": 1e999}]}', "'a.1.b' is not a finite number"),
        (b'{"a": "\\u0000"}', "'a' holds a NUL"),
        (b'{"\\ud800": 1}', "a key holds half a character"),
        (b"[" * 60 + b"]" * 60, "is nested deeper than 50"),
        (b"[" * 100_000, "nested deeper than 50"),
        (b"9" * 5000, "is not JSON"),
        (b'{"a": [18446744073709551616]}', "'a.0' is not a number that can be reckoned with"),
        (b'{"a": 1}\xff', "is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
        (b'{\n"a": 1,\n}', r"x.json:3: is not JSON"),
        (b"", "is not JSON"),
    ],
)
def test_json_that_is_no_plain_data_is_refused_in_one_sentence(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=problem):
        load_json(path, 1_000_000)


@pytest.mark.parametrize("text", ["a = 1\na = 2", "a = " + "[" * 3000, "a = " + "9" * 5000, "a = \0", "a"])
def test_toml_that_cannot_be_read_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"x\.toml: is not TOML"):
        load_toml(path, 100_000)


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    for path in (tmp_path, tmp_path / "none", Path("a\0b"), Path("x" * 5000), Path("/proc/self/mem")):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            read_text(path, 1000)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 900


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    """Windows editors write one; a redaction pattern behind it would match nothing, and mask nothing."""
    path = tmp_path / "patterns"
    path.write_bytes(b"\xef\xbb\xbfcust-\\d+\r\nother\r\n")
    redactor = Redactor.from_environment({"HARNESS_REDACT": str(path)})
    assert redactor.text("cust-1 and other") == "[redacted] and [redacted]"


@pytest.mark.parametrize("name", ["../" * 2000, "x/" + "y" * 5000, "a\0.yaml", "/" + CANARY])
def test_a_name_that_no_file_has_is_one_sentence(name: str) -> None:
    for find in (find_strategy_file, load_suite):
        with pytest.raises(ConfigError, match="there is no") as caught:
            find(name)
        assert len(str(caught.value)) < 900
        assert CANARY[13:] not in str(caught.value)


def test_a_key_that_stands_where_a_name_belongs_is_never_shown() -> None:
    for text in (CANARY, f"no run '{CANARY}'", f"x: {CANARY[:40]}"):
        assert CANARY[13:30] not in str(UsageError(text))
    assert str(ConfigError(f"{CANARY}.json", f"has '{CANARY}'")) == "[redacted].json: has '[redacted]'"
    assert len(str(ConfigError("s" * 5000, "p\n" * 5000))) < 900
    assert str(ConfigError("a\nb", "c\x1b[31m\u2028d")) == "a b: c [31m d"


GATE = [
    ("gate.yaml", "max_cost_per_request: null\n", None),
    ("gate.yaml", "", None),
    ("gate.yaml", "[]\n", "is not a mapping"),
    ("gate.yaml", "false\n", "is not a mapping"),
    ("gate.yaml", "baseline: ''\n", "'baseline'"),
    ("pyproject.toml", "[tool.harness]\ngate = 3\n", "is not a mapping"),
    ("pyproject.toml", "[tool]\nx = 1979-05-27\n[tool.harness.gate]\nmin_rps = 1\n", None),
    ("pyproject.toml", "[tool.harness.gate]\nmin_rps = 1979-05-27\n", "'min_rps' is a date"),
    ("pyproject.toml", "[tool.harness.gate]\nmin_rps = inf\n", "'min_rps' is not a finite number"),
]


@pytest.mark.parametrize(("file", "text", "problem"), GATE)
def test_limits_are_read_as_written(tmp_path: Path, file: str, text: str, problem: str | None) -> None:
    (tmp_path / file).write_text(text)
    if problem is None:
        assert load_gate_config(None, tmp_path).max_p95 is None
        return
    with pytest.raises(ConfigError, match=problem):
        load_gate_config(None, tmp_path)


def _file(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "settings"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


PRICE = '{"provider": "a", "model": "m", "source_url": "https://x", "input_usd_per_mtok": 1, "output_usd_per_mtok": 1'


def priced(more: str) -> str:
    return f'{{"prices": [{PRICE}, {more}}}]}}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (priced('"start_date": 5'), "start_date.*a date is wanted"),
        (priced('"start_date": "2026-01-01", "input_usd_per_mtok": true'), "stands twice"),
        (priced('"start_date": "2026-01-01", "cache_read_usd_per_mtok": true'), "a number"),
        ('{"provider_aliases": {"A": "x", "a": "y"}}', "stands twice; upper"),
    ],
)  # fmt: skip
def test_prices_are_read_as_written(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_overrides(_file(tmp_path, text), "x")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[1, "2"]', "value 2 is not a time"),
        ("[1, true]", "value 2 is not a time"),
        ("1\nsoon\n", "value 2 is not a time"),
        ("1\nnan\n", "value 2 is not a finite"),
        ("1e300", "value 1 is not a finite"),
        ("[" + "9" * 400 + "]", "'0' is not a number"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_arrivals_are_read_as_written(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        replay_offsets(_file(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"case_id": "a", "case_id": "b"}', "stands twice"),
        (CASE_LINE.decode().replace('"b"}', '"b", "language": 7}'), "language must be text"),
        (CASE_LINE.decode().replace('"b"}', '"b", "x": NaN}'), "is not JSON"),
        (CASE_LINE.decode().replace('"b"}', '"\\ud800"}'), "half a character"),
    ],
)
def test_cases_are_read_as_written(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=rf"settings:1: .*{problem}"):
        load_cases(_file(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"kind": "cut", "rate": true}]', "rate"),
        ('[{"kind": "cut", "rate": "0.5"}]', "rate"),
        ('{"faults": [], "fault": 1}', "'faults' stands alone"),
        ('{"kind": "cut", "kind": "stall"}', "stands twice"),
        ('{"kind": "stall", "delay_ms": 1e999}', "not a finite number"),
        ('{"kind": "\udcff"}', "is not UTF-8"),
    ],
)
def test_faults_are_read_as_written(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_faults(text)


def test_a_strategy_named_twice_in_a_suite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_bytes(CASE_LINE)
    path = tmp_path / "s.yaml"
    path.write_text("name: s\ntask: draft_graph\ndataset: cases.jsonl\nstrategies: [hybrid, hybrid]\n")
    with pytest.raises(ConfigError, match="'hybrid' stands twice"):
        load_suite(str(path))


def test_a_plan_names_its_wrong_field(tmp_path: Path) -> None:
    base = '"run_id": "r", "name": "n", "target": "t", "store_dir": ".", "cases_path": "c"'
    assert LoadPlan.read(_file(tmp_path, "\ufeff{" + base + "}")).run_id == "r"
    for more, problem in (
        ('"rps": "5"', "'rps'"),
        ('"rps": 5, "rps": 6', "twice"),
        ('"rsp": 5', "no such key"),
    ):
        with pytest.raises(ConfigError, match=problem):
            LoadPlan.read(_file(tmp_path, f"{{{base}, {more}}}"))


RUN = '{"run_id": "r", "kind": "baseline", "name": "n", "status": "completed", "started_at": "2026-01-01T00:00:00Z"%s}'


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ('"latency_ms": "5"', "'requests.0.latency_ms': float is wanted"),
        ('"latency_ms": true', "'requests.0.latency_ms': float is wanted"),
        ('"warmup": 1', "'requests.0.warmup': bool is wanted"),
        ('"started_at": 17', "'requests.0.started_at': time is wanted"),
        ('"stages_ms": {"draft": false}', "'requests.0.stages_ms.draft': float is wanted"),
        ('"seq": 1e999999999', "not a number that can be reckoned with"),
    ],
)
def test_a_row_of_a_report_keeps_its_types(tmp_path: Path, row: str, problem: str) -> None:
    text = f'"requests": [{{"request_id": "q", "status": "ok", {row}}}], "calls": []}}'
    path = _file(tmp_path, f'{{"schema": "harness.report.v1", "run": {RUN % ""}, {text}')
    with pytest.raises(ConfigError, match=problem):
        read_report(path)


def test_keys_that_a_report_reader_does_not_know_are_named(tmp_path: Path) -> None:
    rows = '"requests": [{"request_id": "q", "status": "ok", "latncy_ms": 5}], "calls": [], "extra": 1}'
    a_run = RUN % ', "x": 1'
    path = _file(tmp_path, f'{{"schema": "harness.report.v1", "run": {a_run}, {rows}')
    assert read_report(path).unknown == ("extra", "run.x", "requests.latncy_ms")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a{99999999999999999999}", "not a regular expression"),
        ("(" * 2000 + ")" * 2000, "not a regular expression"),
        (f"(?P=x{CANARY.replace('-', '')})", r"not a regular expression \(unknown group name\)"),
        ("x*", "matches empty text"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_without_showing_it(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = _file(tmp_path, f"good\n{line}\n")
    with pytest.raises(ConfigError, match=rf"settings:2: .*{problem}") as caught:
        Redactor.from_environment({"HARNESS_REDACT": str(path)})
    assert "Canary" not in str(caught.value)
