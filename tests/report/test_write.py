"""The three files: round trip, escaping, size, names, nothing half-written."""

import json
import re
from contextlib import closing
from datetime import timedelta
from html.parser import HTMLParser

import numpy as np
import pytest

from harness.errors import ConfigError, StoreError
from harness.figures.sides import whole_side
from harness.figures.summary import run_summary
from harness.gate import GateLimits, evaluate_gate
from harness.records import GateVerdict, ProviderMode
from harness.report.reading import read_report
from tests.judged_rows import START, JudgedRun, calls_of, failed, repaired, report_of, request, view_of

ATTACK = "<img src=x onerror=alert(1)> | `x` $\\frac{1}{0}$ \x1b[31m \u6f22\U0001f600"


def a_run(n=120):
    rng = np.random.default_rng(4)
    latency = np.exp(8 + 0.4 * rng.normal(size=n))
    return [(repaired if s % 4 == 0 else request)(s, float(latency[s])) for s in range(n)]


def written(rows, folder, run=None, **options):
    return report_of(rows, run or JudgedRun(), folder, **options)


def judged(rows, run=None, limits=None):
    run = run or JudgedRun()
    with closing(view_of(rows, (), run)) as view:
        return evaluate_gate(whole_side(view, view.run(run.run_id)), limits or GateLimits())


class Outline(HTMLParser):
    """Every tag and every attribute that could load something."""

    def __init__(self):
        super().__init__()
        self.tags = []
        self.loads = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loads += [
            value
            for name, value in attrs
            if name in ("src", "href", "xlink:href", "srcset", "action") and not str(value).startswith("#")
        ]


def test_the_json_report_gives_back_every_request_and_call(tmp_path):
    rows = [*a_run(), failed(120, error_message="busy")]
    paths = written(rows, tmp_path)
    back = read_report(paths.json)
    assert back.requests == rows
    assert back.calls == calls_of(rows)
    assert back.run.run_id == "run-1"
    with closing(back.snapshot("report")) as ours, closing(view_of(rows, calls_of(rows))) as theirs:
        assert run_summary(ours, ours.run()) == run_summary(theirs, theirs.run())


def test_money_keeps_its_digits_in_json(tmp_path):
    text = written(a_run(), tmp_path).json.read_text()
    assert '"cost_usd":0.02436' in text
    assert json.loads(text)["schema"] == "harness.report.v1"


def test_names_carry_the_start_and_latest_is_the_same(tmp_path):
    paths = written(a_run(), tmp_path)
    assert paths.html.name == "baseline-2026-11-23-120000.html"
    for path in (paths.json, paths.html, paths.markdown):
        assert (tmp_path / f"latest{path.suffix}").read_bytes() == path.read_bytes()
    assert len(list(tmp_path.iterdir())) == 6  # no draft is left over


def test_two_runs_of_one_second_do_not_overwrite_each_other(tmp_path):
    first = written(a_run(40), tmp_path)
    other = JudgedRun(run_id="run-2")
    second = written(a_run(40), tmp_path, run=other)
    assert first.json != second.json
    assert written(a_run(40), tmp_path).json == first.json  # the same run again replaces its own


def test_foreign_text_is_escaped_everywhere(tmp_path):
    rows = a_run()
    rows[3] = request(3, 90000.0, case_id=ATTACK, request_id=ATTACK)
    rows.append(failed(120, error_message=ATTACK))
    run = JudgedRun(
        name=ATTACK,
        target=ATTACK,
        config={ATTACK: ATTACK},
        summary={"suspect": True, "suspect_reasons": [ATTACK]},
    )
    gate = judged(rows, run).as_json()
    paths = written(rows, tmp_path, run=run, gate=gate)
    outline = Outline()
    outline.feed(paths.html.read_text())
    assert "img" not in outline.tags
    assert "script" not in outline.tags
    assert outline.loads == []
    assert "<img" not in paths.markdown.read_text()


def test_the_page_says_emulated_and_stays_small_at_5000_requests(tmp_path):
    rng = np.random.default_rng(9)
    rows = [request(s, float(value)) for s, value in enumerate(np.exp(8 + 0.4 * rng.normal(size=5000)))]
    run = JudgedRun(ended_at=START + timedelta(seconds=5000))
    text = written(rows, tmp_path, run=run).html.read_text()
    assert "EMULATED" in text
    assert len(text.encode()) < 500_000
    assert text.count("<svg") == 4


def test_ids_of_the_charts_do_not_collide(tmp_path):
    text = written(a_run(), tmp_path).html.read_text()
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(ids)


def test_an_empty_run_has_a_report_too(tmp_path):
    paths = written([], tmp_path, run=JudgedRun(provider_mode=ProviderMode.LIVE, ended_at=None))
    text = paths.html.read_text()
    assert "EMULATED" not in text
    assert "$0.000000" not in text
    assert "0.0 ms" not in text


def test_all_failed_requests_have_a_report(tmp_path):
    text = written([failed(s) for s in range(80)], tmp_path).html.read_text()
    assert "over any limit" in text


def test_a_full_or_closed_folder_is_one_sentence(tmp_path):
    (tmp_path / "latest.json").mkdir()
    with pytest.raises(StoreError, match=r"latest\.json could not be written"):
        written(a_run(), tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON"),
        ("[1]", "not a JSON object"),
        ('{"schema": "harness.report.v9"}', "its schema is 'harness.report.v9'"),
        ('{"schema": "harness.report.v1"}', "not a valid report"),
        ('{"schema": "harness.report.v1", "run": {}, "requests": 3}', "not a valid report"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_bad_report_file_is_one_sentence(tmp_path, text, problem):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(problem)):
        read_report(path)


def test_a_report_cut_short_is_refused(tmp_path):
    path = written(a_run(), tmp_path).json
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ConfigError, match="is not JSON"):
        read_report(path)


def test_the_report_cites_the_rulers_own_error(tmp_path):
    ruler = {"ts": START, "within_bounds": True, "moderate": [{"q": 0.95, "error_ms": 0.41}, {"q": 0.5}]}
    paths = written(a_run(), tmp_path, ruler=ruler)
    assert "p95 +0.41 ms" in paths.html.read_text()
    assert json.loads(paths.json.read_text())["ruler"]["within_bounds"] is True
    assert "was not measured" in written(a_run(), tmp_path).html.read_text()


@pytest.mark.parametrize("latency", ["-5", "1e999"])
def test_a_duration_that_is_none_is_unknown(tmp_path, latency):
    path = written([request(s, 3000.0) for s in range(60)], tmp_path).json
    path.write_text(path.read_text().replace('"latency_ms":3000.0', f'"latency_ms":{latency}', 1))
    back = read_report(path)
    with closing(back.snapshot("report")) as view:
        report = evaluate_gate(whole_side(view, view.run()), GateLimits())
        assert report.verdict is GateVerdict.INCONCLUSIVE
        assert run_summary(view, view.run()).figures["p95_latency"].unknown == 1
