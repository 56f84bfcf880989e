"""Telemetry of other tools: what each format's file becomes, against the truth of the serving side."""

import json
import random
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.ingest import app
from harness.errors import UsageError
from harness.imports.formats import formats, recognised
from harness.imports.tags import flat
from harness.imports.taking import FormatReport, take_format
from harness.pricing import PriceBook
from harness.records.tags import MOST_TAG_CHARS, MOST_TAGS
from tests.imports.stored import rows

RUNNER = CliRunner()
SAMPLES = Path(__file__).parent / "samples"
BOOK = PriceBook.load()
START_NS = 1_796_056_761_965_131_252


def taken(store: Path, source: Path) -> FormatReport:
    reader = recognised([json.loads(line) for line in source.read_text().splitlines()[:1]])
    assert reader is not None
    return take_format(store, source, reader, BOOK)


def test_spans_of_the_genai_conventions_are_requests_with_their_calls(tmp_path: Path) -> None:
    report = taken(tmp_path, SAMPLES / "otlp_genai_openai.jsonl")
    assert (report.format, report.requests, report.calls, report.unpriced) == ("otlp", 6, 6, 2)
    found = rows(
        tmp_path, "SELECT draft_input_tokens, draft_cache_read_tokens, draft_output_tokens FROM requests"
    )
    assert sorted(found, key=str) == 4 * [(2310, 2000, 50)] + 2 * [(None, None, None)]
    ((first, ttft),) = rows(
        tmp_path, "SELECT min(server_ms), max(ttft_ms) FROM requests WHERE draft_model = 'gpt-5.5'"
    )
    assert (round(first, 3), round(ttft, 3)) == (166.3, 281.678)
    assert rows(tmp_path, "SELECT DISTINCT price_source FROM calls WHERE cost_usd IS NOT NULL") == [
        ("genai-prices",)
    ]
    assert rows(tmp_path, "SELECT DISTINCT tags->>'service_name' FROM requests") == [("sample-app",)]


def test_litellm_payloads_keep_what_is_billed_and_drop_estimates(tmp_path: Path) -> None:
    report = taken(tmp_path, SAMPLES / "litellm_payloads.jsonl")
    assert (report.requests, report.unpriced, report.compared.calls, report.compared.apart) == (7, 3, 3, 0)
    found = rows(
        tmp_path,
        """SELECT draft_input_tokens, draft_cache_read_tokens, draft_output_tokens, cost_usd, status
        FROM requests ORDER BY started_at""",
    )
    whole = (2000, 1500, 400, Decimal("0.0004275"), "ok")
    assert found == [
        whole,
        (2000, 1500, 400, None, "ok"),  # a model that has no price
        (None, None, None, None, "ok"),  # a stream's estimate
        (0, 0, 0, Decimal(0), "error"),
        whole,
        whole,
        (None, None, None, None, "error"),
    ]
    latencies = rows(tmp_path, "SELECT round(server_ms) FROM requests ORDER BY started_at")
    assert latencies == [(3328,), (519,), (4994,), (3660,), (840,), (445,), (2612,)]


def attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {str: "stringValue", int: "intValue", float: "doubleValue", bool: "boolValue"}[type(value)]
    return {"key": key, "value": {kind: str(value) if kind == "intValue" else value}}


def span(
    trace: str, own: str, parent: str | None, at_ms: int, took_ms: int, name: str, **told: Any
) -> dict[str, Any]:
    """A span; attributes by keyword, `__` for a dot."""
    status = told.pop("status", {})
    return {
        "traceId": trace,
        "spanId": own,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "startTimeUnixNano": str(START_NS + at_ms * 10**6),
        "endTimeUnixNano": str(START_NS + (at_ms + took_ms) * 10**6),
        "attributes": [attribute(key.replace("__", "."), value) for key, value in told.items()],
        "status": status,
    }


def export(*spans: dict[str, Any], **resource: Any) -> dict[str, Any]:
    attributes = [attribute(key.replace("__", "."), value) for key, value in resource.items()]
    return {
        "resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}]
    }


NAMES = {
    "old": {
        "gen_ai__system": "anthropic",
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "claude-sonnet-4-5",
        "gen_ai__usage__input_tokens": 1000,
        "gen_ai__usage__output_tokens": 100,
        "gen_ai__usage__cache_creation__input_tokens": 200,
        "gen_ai__usage__cache_read__input_tokens": 300,
    },
    "new": {
        "gen_ai__provider__name": "anthropic",
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "claude-sonnet-4-5",
        "gen_ai__usage__input_tokens": 1000,
        "gen_ai__usage__output_tokens": 100,
        "gen_ai__usage__cache_write__input_tokens": 200,
        "gen_ai__usage__cache_read__input_tokens": 300,
    },
    "OpenInference": {
        "openinference__span__kind": "LLM",
        "llm__provider": "anthropic",
        "llm__model_name": "claude-sonnet-4-5",
        "llm__token_count__prompt": 1000,
        "llm__token_count__completion": 100,
        "llm__token_count__prompt_details__cache_write": 200,
        "llm__token_count__prompt_details__cache_read": 300,
    },
    "Traceloop": {
        "llm__request__type": "chat",
        "gen_ai__system": "Anthropic",
        "gen_ai__request__model": "claude-sonnet-4-5",
        "gen_ai__usage__prompt_tokens": 1000,
        "gen_ai__usage__completion_tokens": 100,
        "gen_ai__usage__cache_creation_input_tokens": 200,
        "gen_ai__usage__cache_read_input_tokens": 300,
    },
    "Vercel": {
        "ai__operationId": "ai.generateText.doGenerate",
        "ai__model__provider": "anthropic.messages",
        "ai__model__id": "claude-sonnet-4-5",
        "ai__usage__inputTokens": 1000,
        "ai__usage__outputTokens": 100,
        "ai__usage__inputTokenDetails__cacheWriteTokens": 200,
        "ai__usage__cachedInputTokens": 300,
    },
    "pydantic-ai": {
        "gen_ai__system": "anthropic",
        "gen_ai__operation__name": "chat",
        "gen_ai__request__model": "claude-sonnet-4-5",
        "gen_ai__usage__input_tokens": 1000,
        "gen_ai__usage__output_tokens": 100,
        "gen_ai__usage__details__cache_write_tokens": 200,
        "gen_ai__usage__details__cache_read_tokens": 300,
    },
}


@pytest.mark.parametrize("convention", NAMES)
def test_a_call_is_the_same_by_every_convention(tmp_path: Path, convention: str) -> None:
    source = tmp_path / "spans.jsonl"
    source.write_text(json.dumps(export(span("a" * 32, "b" * 16, None, 0, 500, "chat", **NAMES[convention]))))
    taken(tmp_path / "store", source)
    found = rows(
        tmp_path / "store",
        """SELECT provider, model, input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens, latency_ms,
        cost_usd FROM calls""",
    )
    # 500 x 3 + 300 x 0.3 + 200 x 3.75 + 100 x 15 dollars a million
    assert found == [("anthropic", "claude-sonnet-4-5", 1000, 300, 200, 100, 500.0, Decimal("0.00384"))]


def trace_of(number: int) -> list[dict[str, Any]]:
    """A served request: draft, a failed and a good repair, each seen by two instrumentations."""
    trace = f"{number:032x}"
    call = {**NAMES["new"], "gen_ai__provider__name": "openai", "gen_ai__request__model": "gpt-4o-mini"}
    failed = {key: value for key, value in call.items() if "usage" not in key}
    root = span(trace, "r" * 16, None, 0, 3000, "POST /draft", http__response__status_code=200)
    return [
        span(trace, "d" * 16, "r" * 16, 100, 1000, "draft", openinference__span__kind="CHAIN"),
        span(trace, "1" * 16, "d" * 16, 150, 900, "ChatOpenAI", **NAMES["OpenInference"]),
        span(trace, "2" * 16, "1" * 16, 160, 880, "chat gpt-4o-mini", **call),
        span(trace, "p" * 16, "r" * 16, 1200, 1700, "repair graph"),
        span(trace, "3" * 16, "p" * 16, 1210, 300, "chat", **failed, error__type="429", status={"code": 2}),
        span(trace, "4" * 16, "p" * 16, 1600, 1200, "chat", **call),
        root,
    ]


def test_parents_and_children_are_one_request_with_draft_and_repair(tmp_path: Path) -> None:
    source = tmp_path / "spans.jsonl"
    traces = [trace_of(number) for number in range(1, 4)]
    health = span("f" * 32, "9" * 16, None, 0, 2, "GET /healthz", http__response__status_code=503)
    source.write_text(
        json.dumps(
            export(*chain.from_iterable(traces), health, deployment__environment__name="Prod", team="red")
        )
    )
    report = taken(tmp_path / "store", source)
    assert (report.requests, report.calls, report.unreadable) == (3, 9, {})
    found = rows(
        tmp_path / "store",
        """SELECT DISTINCT status, http_status, server_ms, environment, tags->>'team', draft_model, draft_input_tokens,
        repair_model, repair_output_tokens, mixed_providers FROM requests""",
    )
    model = "gpt-4o-mini"
    assert found == [("ok", 200, 3000.0, "production", "red", model, 1000, model, None, False)] or found == [
        ("ok", 200, 3000.0, "production", "red", model, 1000, model, 100, False)
    ]
    calls = rows(
        tmp_path / "store",
        "SELECT DISTINCT role, attempt, outcome, error_kind, http_status FROM calls ORDER BY role, attempt",
    )
    assert calls == [
        ("draft", 1, "ok", None, None),
        ("repair", 1, "error", "rate_limited", None),
        ("repair", 2, "ok", None, None),
    ]


def test_spans_in_any_order_over_many_passes_come_to_the_same(tmp_path: Path) -> None:
    spans = list(chain.from_iterable(trace_of(number) for number in range(1, 9)))
    query = "SELECT * EXCLUDE (run_id) REPLACE (round(server_ms, 3) AS server_ms) FROM requests ORDER BY request_id"
    whole = tmp_path / "whole.jsonl"
    whole.write_text(json.dumps(export(*spans)))
    taken(tmp_path / "one", whole)
    random.Random(7).shuffle(spans)
    grown = tmp_path / "grown.jsonl"
    grown.write_text("")
    for start in range(0, len(spans), 9):
        with grown.open("a") as file:
            file.write(json.dumps(export(*spans[start : start + 9])) + "\n")
        take_format(tmp_path / "many", grown, formats()["otlp"], BOOK)
    calls = "SELECT call_id, outcome, input_tokens, cost_usd FROM calls WHERE call_id NOT LIKE '%11111' ORDER BY 1"
    assert rows(tmp_path / "many", calls) == rows(tmp_path / "one", calls)
    ends = "SELECT request_id, started_at, round(server_ms, 3), http_status FROM requests ORDER BY request_id"
    assert rows(tmp_path / "many", ends) == rows(tmp_path / "one", ends)
    before = rows(tmp_path / "one", query)
    copied = tmp_path / "copied.jsonl"
    copied.write_text("\n" + whole.read_text())  # another file with the same spans
    again = taken_otlp(tmp_path / "one", copied)
    assert (again.requests, again.calls, again.known) == (0, 0, 8)
    assert rows(tmp_path / "one", query) == before


def taken_otlp(store: Path, source: Path) -> FormatReport:
    return take_format(store, source, formats()["otlp"], BOOK)


LANGFUSE = {
    "id": "o1",
    "traceId": "t1",
    "type": "GENERATION",
    "name": "repair-graph",
    "startTime": "2026-11-23T12:00:00.000Z",
    "endTime": "2026-11-23T12:00:01.500Z",
    "completionStartTime": "2026-11-23T12:00:00.250Z",
    "model": "gpt-4o-mini",
    "usageDetails": {"input": 500, "output": 400, "input_cached_tokens": 1500, "total": 2400},
    "calculatedTotalCost": 0.0005,
    "level": "DEFAULT",
    "environment": "prod",
}


def test_langfuse_observations_and_scores(tmp_path: Path) -> None:
    score = {
        "id": "s1",
        "traceId": "t1",
        "name": "accuracy",
        "value": 0.75,
        "dataType": "NUMERIC",
        "source": "API",
    }
    source = tmp_path / "export.json"
    source.write_text(json.dumps([LANGFUSE, {**score}, {**score, "id": "s2", "name": "stars", "value": 4}]))
    report = take_format(tmp_path / "store", source, formats()["langfuse"], BOOK)
    assert (report.requests, report.calls, report.grades, report.compared.apart) == (1, 1, 2, 1)
    assert rows(
        tmp_path / "store",
        """SELECT role, provider, input_tokens, cache_read_tokens, output_tokens, latency_ms, ttft_ms, cost_usd,
        provider_cost_usd, price_source FROM calls""",
    ) == [("repair", "openai", 2000, 1500, 400, 1500.0, 250.0, Decimal("0.0005"), Decimal("0.0005"), "told")]
    assert rows(tmp_path / "store", "SELECT grader, score FROM grades ORDER BY 1") == [
        ("accuracy", 0.75),
        ("stars", None),
    ]


def test_litellm_spend_logs_from_csv(tmp_path: Path) -> None:
    source = tmp_path / "spend.csv"
    source.write_text(
        "request_id,call_type,spend,prompt_tokens,completion_tokens,total_tokens,startTime,endTime,model,"
        "custom_llm_provider,metadata,status\n"
        "r1,acompletion,0.0004275,2000,400,2400,2026-11-23T12:00:00Z,2026-11-23T12:00:01Z,gpt-4o-mini,openai,"
        '"{""usage_object"":{""prompt_tokens_details"":{""cached_tokens"":1500}}}",success\n'
        "r2,acompletion,0,10,5,15,2026-11-23T12:00:02Z,2026-11-23T12:00:03Z,my-own,openai,{},success\n"
        "r3,acompletion,0,0,0,0,2026-11-23T12:00:02Z,2026-11-23T12:00:03Z,gpt-4o-mini,openai,"
        '"{""error_information"":{""error_code"":""429"",""error_class"":""RateLimitError""}}",failure\n'
    )
    result = RUNNER.invoke(app, [str(source), "--store", str(tmp_path / "store"), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["format"] == "litellm-spend"
    found = rows(
        tmp_path / "store",
        "SELECT request_id, status, draft_cache_read_tokens, cost_usd, server_ms FROM requests ORDER BY 1",
    )
    assert found == [
        ("r1", "ok", 1500, Decimal("0.0004275"), 1000.0),
        ("r2", "ok", 0, None, 1000.0),
        ("r3", "rejected", 0, Decimal(0), 1000.0),
    ]


def test_a_map_takes_any_rows_and_counts_what_it_cannot_read(tmp_path: Path) -> None:
    source = tmp_path / "own.jsonl"
    row = {
        "trace": {"id": "a1"},
        "dur_s": 1.25,
        "end": "2026-11-23T12:00:01.25Z",
        "llm": "gpt-4o-mini",
        "in": 2000,
    }
    lines = [{**row, "out": 400}, {**row, "trace": {"id": "a2"}, "dur_s": "abc", "out": 400}]
    source.write_text("\n".join([*map(json.dumps, lines), "nonsense"]) + "\n")
    store = ["--store", str(tmp_path / "store")]
    refused = RUNNER.invoke(app, [str(source), *store])
    assert isinstance(refused.exception, UsageError)  # which the command line ends with exit 2
    assert "trace.id" in str(refused.exception)
    maps = ["request_id=trace.id", "latency_ms=dur_s*1000", "ts=end", "model=llm", "input_tokens=in"]
    maps += ["output_tokens=out", "tag.team=team"]
    done = RUNNER.invoke(
        app, [str(source), *store, "--json", *(part for text in maps for part in ("--map", text))]
    )
    report = json.loads(done.output)
    assert (report["requests"], report["bad_lines"], report["unreadable"]) == (2, 1, {"latency_ms": 1})
    assert rows(tmp_path / "store", "SELECT request_id, server_ms, cost_usd FROM requests ORDER BY 1") == [
        ("a1", 1250.0, Decimal("0.00054")),
        ("a2", None, Decimal("0.00054")),
    ]


def test_explain_writes_a_map(tmp_path: Path) -> None:
    source = tmp_path / "own.jsonl"
    source.write_text(
        json.dumps({"requestId": "a", "end": 1, "durationMs": 5, "usage": {"prompt_tokens": 3}}) + "\n"
    )
    result = RUNNER.invoke(
        app, ["--explain", str(source), "--write-map", str(tmp_path / "own.map"), "--json"]
    )
    found = json.loads(result.output)
    assert found["mapped"] == {
        "request_id": "requestId",
        "latency_ms": "durationMs",
        "input_tokens": "usage.prompt_tokens",
    }
    assert "cost" in found["missing"]
    assert "latency_ms=durationMs" in (tmp_path / "own.map").read_text()


def test_tags_follow_the_one_rule_whatever_tool_told_them() -> None:
    told = {"service.name": "shop", "Cost-Centre": 7, "note": "k sk-ant-api03-" + "a" * 40, "long": "x" * 99}
    found = flat({**told, "nested": {"a": 1}, "1st": "no"})
    assert found["service_name"] == "shop"
    assert found["cost_centre"] == "7"
    assert "sk-ant" not in found["note"]
    assert len(found["long"]) == MOST_TAG_CHARS
    assert set(found) == {"service_name", "cost_centre", "note", "long"}
    assert len(flat({f"t{n}": "v" for n in range(40)})) == MOST_TAGS
