"""Tools that cannot be had from a registry for this Python: their published formats, with truths worked out by hand."""

import json
from datetime import UTC, datetime

import pytest

from harness.imports.results.taking import import_result
from harness.pricing import PriceBook
from harness.store import open_store

AT = datetime(2026, 11, 30, tzinfo=UTC)
BOOK = PriceBook.load()


def imported(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    report = import_result(tmp_path / "store", path, BOOK, at=AT, provider="openai")
    with open_store(tmp_path / "store").snapshot() as view:
        rows = view.dicts("SELECT * FROM requests WHERE run_id = ? ORDER BY seq", [report.run_id])
    return report, rows


def point(ms, second, **tags):
    data = {
        "time": f"2026-11-30T12:00:{second:02d}.250000000Z",
        "value": ms,
        "tags": {"scenario": "default", **tags},
    }
    return json.dumps({"metric": "http_req_duration", "type": "Point", "data": data})


def test_k6_points_end_where_their_time_says(tmp_path):
    lines = [
        json.dumps(
            {"type": "Metric", "metric": "http_req_duration", "data": {"type": "trend", "contains": "time"}}
        ),
        json.dumps(
            {
                "metric": "http_reqs",
                "type": "Point",
                "data": {"time": "2026-11-30T12:00:01Z", "value": 1, "tags": {}},
            }
        ),
        point(250.0, 1, status="200", expected_response="true", name="/chat"),
        point(2.5, 2, status="503", expected_response="false"),
        point(60000.0, 3, status="0", error_code="1050", error="request timeout", expected_response="false"),
        point(0, 4, status="0", error_code="1212", error="dial: connection refused"),
        "{half a line",
    ]
    report, rows = imported(tmp_path, "points.json", "\n".join(lines))
    assert (report.requests, report.failed, report.bad_rows) == (4, 3, 1)
    assert [row["status"] for row in rows] == ["ok", "error", "timeout", "error"]
    assert [row["latency_ms"] for row in rows] == [250.0, 2.5, None, None]
    assert rows[0]["started_at"].replace(tzinfo=UTC) == datetime(2026, 11, 30, 12, 0, 1, tzinfo=UTC)
    assert (rows[1]["error_kind"], rows[2]["error_kind"]) == ("upstream_5xx", "timeout")


@pytest.mark.parametrize("deeper", [False, True])
def test_k6_summaries_count_the_failed_ones_among_passes(tmp_path, deeper):
    metrics = {
        "http_reqs": {"count": 100, "rate": 9.9},
        "http_req_failed": {"passes": 10, "fails": 90, "rate" if deeper else "value": 0.1},
        "http_req_duration": {
            "avg": 20.5,
            "min": 1.0,
            "med": 18.0,
            "max": 99.0,
            "p(90)": 40.0,
            "p(95)": 60.0,
        },
    }
    if deeper:
        metrics = {name: {"type": "trend", "values": values} for name, values in metrics.items()}
    report, rows = imported(tmp_path, "summary.json", {"metrics": metrics, "root_group": {}})
    told = {one.name: one.value for one in report.told.figures}
    assert rows == []
    assert (told["requests"], told["failures"]) == (100, 10)
    assert (told["p50_ms"], told["p95_ms"]) == (18.0, 60.0)


VLLM = {
    "date": "20261130-120000",
    "backend": "openai-chat",
    "model_id": "gpt-4o-mini",
    "num_prompts": 3,
    "completed": 2,
    "total_input_tokens": 30,
    "total_output_tokens": 5,
    "request_throughput": 1.5,
    "p99_ttft_ms": 200.0,
    "median_ttft_ms": 150.0,
}


def test_vllm_details_are_seconds_and_a_failure_has_no_latency(tmp_path):
    detailed = {
        "input_lens": [10, 20, 30],
        "output_lens": [3, 2, 0],
        "ttfts": [0.1, 0.2, 0.0],
        "itls": [[0.01, 0.03], [0.05], []],
        "errors": ["", "", "Internal Server Error"],
    }
    report, rows = imported(tmp_path, "vllm.json", VLLM | detailed)
    assert [row["latency_ms"] for row in rows] == [pytest.approx(140), pytest.approx(250), None]
    assert [row["ttft_ms"] for row in rows] == [pytest.approx(100), pytest.approx(200), None]
    assert [row["itl_ms"] for row in rows] == [pytest.approx(20), pytest.approx(50), None]
    assert [row["draft_output_tokens"] for row in rows] == [3, 2, None]
    assert float(rows[0]["cost_usd"]) == pytest.approx(10 * 0.15e-6 + 3 * 0.6e-6)
    assert report.failed == 1


def test_vllm_without_details_is_told_alone(tmp_path):
    report, rows = imported(tmp_path, "vllm.json", VLLM)
    told = {one.name: one.value for one in report.told.figures}
    assert rows == []
    assert (told["median_ttft_ms"], told["p99_ttft_ms"], told["completed"]) == (150.0, 200.0, 2)


def record(start, end, *, error=None, tokens=()):
    answer = {
        "output_token_times": list(tokens),
        "server_usage": {"prompt_tokens": 100, "completion_tokens": 8},
    }
    info = {"request_metrics": {"text": {"input_tokens": 90}}, "response_metrics": None if error else answer}
    return {
        "start_time": start,
        "end_time": end,
        "request": "{}",
        "response": "",
        "info": info,
        "error": error,
    }


def test_inference_perf_by_request(tmp_path):
    error = {"error_type": "HTTP Error 500", "error_msg": "boom"}
    entries = [record(10.0, 11.5, tokens=(10.25, 10.75, 11.25)), record(11.0, 11.1, error=error)]
    _, rows = imported(tmp_path, "per_request_lifecycle_metrics.json", entries)
    assert [row["latency_ms"] for row in rows] == [1500.0, pytest.approx(100.0)]
    assert (rows[0]["ttft_ms"], rows[0]["itl_ms"]) == (250.0, 500.0)
    assert (rows[0]["draft_input_tokens"], rows[0]["draft_output_tokens"]) == (100, 8)
    assert (rows[1]["status"], rows[1]["http_status"], rows[1]["draft_input_tokens"]) == ("error", 500, 90)
    assert rows[0]["started_at"] is None  # its clock tells no moment


def test_inference_perf_s_summary_in_milliseconds(tmp_path):
    latency = {"mean": 1.5, "median": 1.25, "p0.1": 0.5, "p95": 2.0, "p99.9": 3.0}
    summary = {
        "load_summary": {"count": 6},
        "successes": {
            "count": 5,
            "latency": {"request_latency": latency},
            "throughput": {"requests_per_sec": 2.0},
        },
        "failures": {"count": 1, "request_latency": {"mean": 9.0}},
    }
    report, rows = imported(tmp_path, "summary_lifecycle_metrics.json", summary)
    told = {one.name: one.value for one in report.told.figures}
    assert rows == []
    assert (told["requests"], told["good_requests"], told["failures"]) == (6, 5, 1)
    assert (told["p50_service_ms"], told["p95_service_ms"], told["p99.9_service_ms"]) == (
        1250.0,
        2000.0,
        3000.0,
    )
