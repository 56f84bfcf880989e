# ruff: noqa: E501 - SQL reads better unbroken
"""Write a store of any size by SQL alone: baselines, an evaluation of strategies, a day of production, calls.

Example: python -m benchmarks.analysis.generate --store /tmp/big --requests 1000000
"""

import argparse
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from harness.records import Run, RunKind, RunStatus
from harness.records.run import RunEnd
from harness.store import Spool, open_store

START = datetime(2026, 11, 1, tzinfo=UTC)
CASES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One run: what kind, which strategies it mixes (each with its share of slow and dear answers)."""

    name: str
    kind: RunKind
    environment: str
    strategies: tuple[str, ...]
    cases: int | None
    seed: int
    first: datetime


PARTS = (
    Part(name="base-a", kind=RunKind.BASELINE, environment="staging", strategies=("hybrid",), cases=CASES,
         seed=11, first=START),
    Part(name="base-b", kind=RunKind.BASELINE, environment="staging", strategies=("hybrid",), cases=CASES,
         seed=12, first=START + timedelta(days=2)),
    Part(name="mixes", kind=RunKind.EVAL, environment="staging", strategies=("cheap", "strong", "hybrid"),
         cases=1000, seed=13, first=START + timedelta(days=4)),
    Part(name="day", kind=RunKind.INGEST, environment="production", strategies=("hybrid",), cases=None,
         seed=14, first=START + timedelta(days=6)),
)  # fmt: skip

_REQUESTS = """
INSERT INTO requests BY NAME
WITH drawn AS (
    SELECT i, hash(i, {seed}, 1) / 1.8446744073709552e19 AS u1, hash(i, {seed}, 2) / 1.8446744073709552e19 AS u2,
        hash(i, {seed}, 3) / 1.8446744073709552e19 AS u3, hash(i, {seed}, 4) / 1.8446744073709552e19 AS u4,
        {strategies}[1 + i % {n_strategies}] AS strategy
    FROM range({n}) t(i)
), said AS (
    SELECT *, u3 < 0.01 AS failed, u4 < 0.2 AS repaired, strategy = 'cheap' AS cheap,
        exp(ln(2500) + 0.45 * sqrt(-2 * ln(u1 + 1e-12)) * cos(2 * pi() * u2)) / if(strategy = 'cheap', 2, 1) AS ms,
        (1500 + 1000 * u1)::BIGINT AS tokens_in, (700 + 800 * u2)::BIGINT AS tokens_out
    FROM drawn
), priced AS (
    SELECT *, ((tokens_in * if(cheap, 0.15, 3) + tokens_out * if(cheap, 0.6, 15)) / 1e6)::DECIMAL(18, 10) AS draft,
        if(repaired, ((800 * 0.15 + 400 * 0.6) / 1e6)::DECIMAL(18, 10), NULL) AS repair
    FROM said
)
SELECT '{run_id}' AS run_id, 'r-{seed}-' || i AS request_id, if(failed, 'error', 'ok') AS status, i AS seq,
    0 AS worker, 'draft_graph' AS scenario, 'draft_graph' AS task, strategy, {case_id} AS case_id, 0 AS repeat,
    {scheduled} AS scheduled_at, TIMESTAMP '{first}' + to_microseconds(i * {step_us}) AS started_at,
    {latency} AS latency_ms, {latency} AS service_ms, if(failed, NULL, ms - 2) AS server_ms,
    if('{kind}' = 'ingest', 'server', 'client') AS latency_source, {lateness} AS lateness_ms,
    if(failed, 503, 200) AS http_status, if(failed, 'upstream_5xx', NULL) AS error_kind, FALSE AS warmup,
    if(failed, NULL, if(cheap, 'openai', 'anthropic')) AS draft_source,
    if(failed, NULL, if(cheap, 'gpt-4o-mini', 'claude-3-5-sonnet-20241022')) AS draft_model,
    if(failed, NULL, draft) AS draft_cost_usd, if(failed OR NOT repaired, NULL, 'openai') AS repair_source,
    if(failed OR NOT repaired, NULL, 'gpt-4o-mini') AS repair_model, if(failed, NULL, repair) AS repair_cost_usd,
    if(failed, NULL, draft + coalesce(repair, 0)) AS cost_usd, failed AS unpriced,
    if(failed OR NOT repaired, NULL, NOT cheap) AS mixed_providers, if(failed, NULL, u1 < 0.3) AS prompt_cache_hit,
    if(failed, NULL, 0.6 + 0.4 * u1 * if(cheap, 0.8, 1)) AS quality_score,
    if(failed, NULL, 'labelled') AS score_basis,
    if(failed, NULL, CASE WHEN 0.6 + 0.4 * u1 * if(cheap, 0.8, 1) >= 0.9 THEN 'high'
        WHEN 0.6 + 0.4 * u1 * if(cheap, 0.8, 1) >= 0.7 THEN 'medium' ELSE 'low' END) AS quality_tier,
    '{environment}' AS environment, if(failed, NULL, 'emulated') AS provider_mode,
    if(failed, NULL, tokens_in) AS draft_input_tokens, if(failed, NULL, 0) AS draft_cache_read_tokens,
    if(failed, NULL, tokens_out) AS draft_output_tokens, if(failed OR NOT repaired, NULL, 800) AS repair_input_tokens,
    if(failed OR NOT repaired, NULL, 400) AS repair_output_tokens
FROM priced
"""

_CALLS = """
INSERT INTO calls BY NAME
WITH sent AS (
    SELECT r.*, role FROM requests r, (VALUES ('draft'), ('repair')) roles(role)
    WHERE run_id = '{run_id}' AND (role = 'draft' OR repair_source IS NOT NULL)
)
SELECT run_id, request_id, role || '-' || request_id AS call_id, role, 1 AS attempt,
    if(role = 'draft', coalesce(draft_source, 'anthropic'), repair_source) AS provider,
    if(role = 'draft', coalesce(draft_model, 'claude-3-5-sonnet-20241022'), repair_model) AS model,
    started_at, if(role = 'draft', latency_ms * 0.8, latency_ms * 0.2) AS latency_ms,
    if(status = 'ok', 'ok', 'error') AS outcome, 300.0 AS ttft_ms,
    if(role = 'draft', draft_input_tokens, repair_input_tokens) AS input_tokens, 0 AS cache_read_tokens,
    0 AS cache_write_5m_tokens, 0 AS cache_write_1h_tokens,
    if(role = 'draft', draft_output_tokens, repair_output_tokens) AS output_tokens, 'standard' AS price_context,
    if(role = 'draft', draft_cost_usd, repair_cost_usd) AS cost_usd, 'genai-prices' AS price_source,
    if(role = 'draft', coalesce(draft_model, 'claude-3-5-sonnet-20241022'), repair_model) AS priced_as
FROM sent
"""


def main() -> None:
    """Parse the command line and write the store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=1_000_000, help="of each run")
    parser.add_argument("--parts", nargs="*", default=[part.name for part in PARTS])
    options = parser.parse_args()
    write_store(options.store, options.requests, tuple(options.parts))


def write_store(store: Path, requests: int, parts: tuple[str, ...]) -> None:
    """Write the named runs, each of `requests` requests with their calls (but for the ingested day)."""
    chosen = [part for part in PARTS if part.name in parts]
    with Spool.open(store) as spool:
        for part in chosen:
            _write_run(spool, part, requests)
    open_store(store).ingest(wait=True)
    with duckdb.connect(str(store / "harness.duckdb")) as database:
        for part in chosen:
            values = _values(part, requests)
            database.execute(_REQUESTS.format(**values))
            if part.kind is not RunKind.INGEST:
                database.execute(_CALLS.format(**values))
    with duckdb.connect(str(store / "harness.duckdb")) as database:
        # the first write after this one merges row groups: the first measured command is not to pay for that
        database.execute("CREATE TABLE merged (n INTEGER); CHECKPOINT; DROP TABLE merged; CHECKPOINT")


def _write_run(spool: Spool, part: Part, requests: int) -> None:
    config = {"strategies": list(part.strategies), "planned": requests, "emulator_speed": 1.0}
    run = Run(
        run_id=_run_id(part), kind=part.kind, name=part.name, started_at=part.first,
        environment=part.environment, target="http://127.0.0.1:3101", harness_version="0", config=config,
    )  # fmt: skip
    end = RunEnd(
        run_id=_run_id(part), ended_at=part.first + timedelta(days=1), status=RunStatus.COMPLETED,
        summary={"suspect": False, "planned": requests},
    )  # fmt: skip
    spool.append_many([run, end]).result()


def _run_id(part: Part) -> str:
    return f"run-{part.seed:02d}{part.name}"


def _values(part: Part, requests: int) -> dict[str, object]:
    driven = part.kind is RunKind.BASELINE
    arrived = (
        f"TIMESTAMP '{part.first:%Y-%m-%d %H:%M:%S}' + to_microseconds(i * {86_400_000_000 // requests})"
    )
    return {
        "run_id": _run_id(part),
        "n": requests,
        "seed": part.seed,
        "kind": part.kind.value,
        "environment": part.environment,
        "strategies": json.dumps(list(part.strategies)).replace('"', "'"),
        "n_strategies": len(part.strategies),
        "case_id": "NULL"
        if part.cases is None
        else f"'case-' || ((i // {len(part.strategies)}) % {part.cases})",
        "first": f"{part.first:%Y-%m-%d %H:%M:%S}",
        "step_us": 86_400_000_000 // requests,
        "scheduled": arrived if driven else "NULL::TIMESTAMP",
        "latency": "NULL" if part.kind is RunKind.INGEST else "if(failed, 120.0, ms)",
        "lateness": "u2" if driven else "NULL",
    }


if __name__ == "__main__":
    main()
