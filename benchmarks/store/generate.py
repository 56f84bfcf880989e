"""Write a store of N plausible requests, with their calls, as a spool: the input of the store benchmarks.

Example: python benchmarks/store/generate.py --store /tmp/big --requests 1000000
"""

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from harness.records import (
    Call,
    CallOutcome,
    LatencySource,
    ProviderMode,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
    RunStatus,
    tier_of,
)
from harness.records.run import RunEnd
from harness.store import Spool
from harness.store.spool.codec import Record

START = datetime(2026, 11, 1, tzinfo=UTC)
MODELS = (
    ("anthropic", "claude-3-5-sonnet-20241022", 3.0),
    ("openai", "gpt-4o-mini", 1.5),
    ("anthropic", "claude-3-haiku-20240307", 1.0),
)
REQUESTS_PER_RUN = 100_000
BATCH = 1_000


def main() -> None:
    """Parse the command line and write the spool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--calls", action="store_true", help="also one or two calls a request")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    write_store(options.store, options.requests, calls=options.calls, seed=options.seed)


def write_store(store: Path, requests: int, *, calls: bool = False, seed: int = 7) -> None:
    """Write `requests` requests in runs of 100,000."""
    rng = random.Random(seed)
    with Spool.open(store) as spool:
        batch: list[Record] = []
        pending = None
        for number in range(requests):
            if number % REQUESTS_PER_RUN == 0:
                batch += _run(number, min(REQUESTS_PER_RUN, requests - number))
            request = a_request(rng, number)
            batch.append(request)
            if calls:
                batch += _calls(request)
            if len(batch) >= BATCH:
                if pending is not None:
                    pending.result()
                pending = spool.append_many(batch)
                batch = []
        spool.append_many(batch).result()


def _run(number: int, size: int) -> list[Record]:
    run_id = _run_id(number)
    began = START + timedelta(seconds=number)
    return [
        Run(
            run_id=run_id, kind=RunKind.BASELINE, name="generated", started_at=began, environment="benchmark"
        ),
        RunEnd(run_id=run_id, ended_at=began + timedelta(seconds=size), status=RunStatus.COMPLETED),
    ]


def _run_id(number: int) -> str:
    return f"run-{number // REQUESTS_PER_RUN:05d}"


def a_request(rng: random.Random, number: int) -> Request:
    """One request: lognormal latency by model, a repair in one of four, a tier, a cost."""
    provider, model, scale_s = MODELS[number % 3]
    latency_ms = scale_s * 1000 * rng.lognormvariate(0, 0.4)
    repaired = number % 4 == 0
    draft_cost = Decimal(rng.randrange(1_000, 40_000)).scaleb(-6)
    repair_cost = Decimal(rng.randrange(100, 4_000)).scaleb(-7) if repaired else None
    score = rng.random() ** 0.3
    sent = START + timedelta(seconds=number)
    return Request(
        run_id=_run_id(number),
        request_id=f"req-{number:09d}",
        status=RequestStatus.OK if number % 500 else RequestStatus.ERROR,
        seq=number,
        worker=0,
        scenario="baseline",
        task="draft_graph",
        strategy="hybrid",
        scheduled_at=sent,
        started_at=sent,
        latency_ms=latency_ms,
        service_ms=latency_ms - 1,
        server_ms=latency_ms - 2,
        latency_source=LatencySource.CLIENT,
        http_status=200 if number % 500 else 502,
        draft_source=provider,
        draft_model=model,
        draft_cost_usd=draft_cost,
        repair_source="openai" if repaired else None,
        repair_model="gpt-4o-mini" if repaired else None,
        repair_cost_usd=repair_cost,
        cost_usd=draft_cost + (repair_cost or 0),
        unpriced=False,
        mixed_providers=provider != "openai" if repaired else None,
        quality_score=score,
        quality_tier=tier_of(score),
        environment="benchmark",
        provider_mode=ProviderMode.EMULATED,
        draft_input_tokens=rng.randrange(500, 3_000),
        draft_output_tokens=rng.randrange(200, 1_500),
        stages_ms={"draft": latency_ms * 0.8, "validate": 0.4},
    )


def _calls(request: Request) -> Iterator[Call]:
    for role, provider, cost in (
        (Role.DRAFT, request.draft_source, request.draft_cost_usd),
        (Role.REPAIR, request.repair_source, request.repair_cost_usd),
    ):
        if provider is not None and request.started_at is not None:
            yield Call(
                run_id=request.run_id,
                request_id=request.request_id,
                call_id=f"{request.request_id}-{role}",
                role=role,
                attempt=1,
                provider=provider,
                model=str(request.draft_model),
                started_at=request.started_at,
                latency_ms=float(request.server_ms or 0),
                outcome=CallOutcome.OK,
                input_tokens=request.draft_input_tokens,
                output_tokens=request.draft_output_tokens,
                cost_usd=cost,
                price_source="genai-prices",
            )


if __name__ == "__main__":
    main()
