"""Stores for the dashboard's tests, written through a spool as producers do."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from harness.pricing import PriceBook
from harness.records import (
    AlertEvent,
    AlertState,
    Call,
    CallOutcome,
    Content,
    ErrorKind,
    GateResult,
    GateVerdict,
    Grade,
    LatencySource,
    ProviderMode,
    Request,
    RequestStatus,
    Role,
    Run,
    RunEnd,
    RunKind,
    RunStatus,
    UnpricedReason,
    Usage,
    tier_of,
)
from harness.store import Spool, ingest

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SONNET = ("anthropic", "claude-3-5-sonnet-20241022")
MINI = ("openai", "gpt-4o-mini")
ROUTES = {"hybrid": (SONNET, MINI), "all-anthropic": (SONNET, SONNET), "all-openai": (MINI, MINI)}
BOOK = PriceBook.load()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A run to be written."""

    run_id: str
    name: str
    kind: RunKind = RunKind.BASELINE
    mode: ProviderMode | None = ProviderMode.EMULATED
    strategy: str = "hybrid"
    requests: int = 60
    slow: float = 1.0
    environment: str = "demo"
    start: datetime = START
    gap_s: float = 1.0
    fail_every: int = 0
    unpriced_every: int = 0
    status: RunStatus | None = RunStatus.COMPLETED
    verdict: GateVerdict | None = None
    repeats: int = 0
    graded: bool = False
    recorded_calls: bool = True
    source: LatencySource = LatencySource.CLIENT


def write(store: Path, *plans: Plan, seed: int = 3) -> Path:
    """Write runs and ingest them."""
    with Spool.open(store, store_content=True) as spool:
        for plan in plans:
            spool.append_many(records(plan, random.Random(seed))).result()
    ingest(store)
    return store


def records(plan: Plan, rng: random.Random):
    """All records of a run, in the order they would come."""
    yield begin(plan)
    for seq in range(plan.requests):
        row, calls = exchange(plan, seq, rng)
        yield row
        if plan.recorded_calls:
            yield from calls
        if plan.graded and row.status is RequestStatus.OK:
            yield from grades(row)
    if plan.verdict is not None:
        yield GateResult(
            run_id=plan.run_id,
            ts=plan.start + timedelta(seconds=plan.requests * plan.gap_s + 1),
            verdict=plan.verdict,
            checks=[{"name": "p95", "verdict": plan.verdict, "value": 5200.0, "limit": 8000.0}],
        )
    if plan.status is not None:
        yield end(plan)


def begin(plan: Plan, owner: str | None = None) -> Run:
    """The run's first record."""
    return Run(
        run_id=plan.run_id,
        kind=plan.kind,
        name=plan.name,
        started_at=plan.start,
        environment=plan.environment,
        provider_mode=plan.mode,
        harness_version="0.1.0",
        owner=owner,
        config={"load": {"rps": 1 / plan.gap_s, "duration_s": plan.requests * plan.gap_s}},
    )


def end(plan: Plan) -> RunEnd:
    """The run's last record."""
    return RunEnd(
        run_id=plan.run_id,
        ended_at=plan.start + timedelta(seconds=plan.requests * plan.gap_s),
        status=plan.status or RunStatus.COMPLETED,
        summary={"planned": plan.requests, "sent": plan.requests, "suspect": False},
    )


def exchange(plan: Plan, seq: int, rng: random.Random) -> tuple[Request, list[Call]]:
    """One request and its attempts, priced by the book."""
    at = plan.start + timedelta(seconds=seq * plan.gap_s)
    draft, repair = ROUTES[plan.strategy]
    latency_ms = 2500 * plan.slow * rng.lognormvariate(0, 0.35)
    failed = bool(plan.fail_every) and seq % plan.fail_every == plan.fail_every - 1
    repaired = seq % 4 == 0 and not failed
    unpriced = bool(plan.unpriced_every) and seq % plan.unpriced_every == 0
    middle = f"-{plan.strategy}" if plan.kind is RunKind.EVAL else ""
    request_id = f"{plan.run_id}{middle}-{seq:05d}"
    calls = [_call(plan, request_id, Role.DRAFT, draft, at, rng, failed=failed, unpriced=unpriced)]
    if repaired:
        calls.append(_call(plan, request_id, Role.REPAIR, repair, at, rng))
    base = Request(
        run_id=plan.run_id,
        request_id=request_id,
        status=RequestStatus.ERROR if failed else RequestStatus.OK,
        seq=seq,
        scenario="baseline",
        task="draft_graph",
        scheduled_at=at,
        started_at=at,
        latency_ms=latency_ms if plan.source is LatencySource.CLIENT else None,
        service_ms=latency_ms - 1 if plan.source is LatencySource.CLIENT else None,
        latency_source=plan.source,
        lateness_ms=1.5,
        http_status=502 if failed else 200,
        case_id=f"case-{seq // max(1, plan.repeats) if plan.repeats else seq % 20:03d}",
        repeat=seq % plan.repeats if plan.repeats else None,
    )
    if failed:
        message = "the provider answered 529"
        return replace(base, error_kind=ErrorKind.OVERLOADED, error_message=message), calls
    return _told(plan, base, calls, latency_ms, rng), calls


def _told(plan: Plan, base: Request, calls: list[Call], latency_ms: float, rng: random.Random) -> Request:
    """The request with what its completed event says."""
    draft, repair = calls[0], calls[1] if len(calls) > 1 else None
    score = 1 - min(0.6, rng.expovariate(14))
    costs = [call.cost_usd for call in calls]
    return replace(
        base,
        server_ms=latency_ms - 3,
        strategy=plan.strategy,
        environment=plan.environment,
        provider_mode=plan.mode,
        draft_source=draft.provider,
        draft_model=draft.model,
        draft_cost_usd=draft.cost_usd,
        repair_source=repair.provider if repair else None,
        repair_model=repair.model if repair else None,
        repair_cost_usd=repair.cost_usd if repair else None,
        cost_usd=None if None in costs else sum(costs, Decimal(0)),
        unpriced=None in costs,
        mixed_providers=repair.provider != draft.provider if repair else None,
        prompt_cache_hit=base.seq % 10 == 0,
        confidence=0.8,
        quality_score=score,
        quality_tier=tier_of(score),
        draft_input_tokens=draft.input_tokens,
        draft_output_tokens=draft.output_tokens,
        repair_input_tokens=repair.input_tokens if repair else None,
        repair_output_tokens=repair.output_tokens if repair else None,
        stages_ms={"draft": latency_ms * 0.8, "validate": 0.5}
        | ({"repair": latency_ms * 0.2} if repair else {}),
    )


def _call(plan, request_id, role, route, at, rng, *, failed=False, unpriced=False) -> Call:
    provider, model = route
    usage = Usage(input_tokens=rng.randrange(800, 1400), output_tokens=rng.randrange(500, 1200))
    priced = BOOK.price(provider, model, usage, at=at)
    known = not (failed or unpriced)
    return Call(
        run_id=plan.run_id,
        request_id=request_id,
        call_id=f"call-{request_id}-{role}",
        role=role,
        attempt=1,
        provider=provider,
        model=model,
        started_at=at,
        latency_ms=1800 * plan.slow * rng.lognormvariate(0, 0.3),
        ttft_ms=600.0,
        outcome=CallOutcome.ERROR if failed else CallOutcome.OK,
        error_kind=ErrorKind.OVERLOADED if failed else None,
        input_tokens=usage.input_tokens if known else None,
        output_tokens=usage.output_tokens if known else None,
        cost_usd=priced.cost_usd if known else None,
        unpriced_reason=None if known else UnpricedReason.USAGE_UNKNOWN,
        price_source="genai-prices",
    )


def grades(row: Request):
    """What the graders behind a quality score say."""
    for grader, shift in (("schema", 0.0), ("topology", -0.02), ("coverage", -0.1), ("provenance", 0.05)):
        score = min(1.0, max(0.0, (row.quality_score or 0) + shift))
        yield Grade(
            run_id=row.run_id, request_id=row.request_id, grader=grader, score=score, passed=score >= 0.7
        )


def full_store(store: Path) -> Path:
    """Every page has something to show."""
    write(
        store,
        Plan(run_id="run-a", name="baseline-a", verdict=GateVerdict.PASS, requests=120),
        Plan(
            run_id="run-b",
            name="baseline-b",
            slow=1.4,
            strategy="all-anthropic",
            verdict=GateVerdict.FAIL,
            requests=120,
            fail_every=40,
            unpriced_every=30,
            start=START + timedelta(hours=3),
            gap_s=60,
        ),
        Plan(
            run_id="run-p",
            name="production-log",
            kind=RunKind.INGEST,
            environment="production",
            mode=ProviderMode.LIVE,
            source=LatencySource.SERVER,
            recorded_calls=False,
            start=START + timedelta(days=2),
            gap_s=300,
        ),
    )
    with Spool.open(store, store_content=True) as spool:
        spool.append_many([*eval_records(), *alert_events(), *contents()]).result()
    ingest(store)
    return store


EVAL = Plan(
    run_id="run-e",
    name="golden-eval",
    kind=RunKind.EVAL,
    repeats=3,
    graded=True,
    start=START + timedelta(days=1),
)


def eval_records():
    """One evaluation: twenty cases by three strategies by three repeats, graded."""
    yield begin(EVAL)
    for index, strategy in enumerate(ROUTES):
        part = replace(EVAL, strategy=strategy, start=EVAL.start + timedelta(hours=index))
        yield from (
            record for record in records(part, random.Random(index)) if not isinstance(record, Run | RunEnd)
        )
    yield end(EVAL)


def alert_events():
    """A cost spike that fired and was resolved, and a rule without data."""
    at = START + timedelta(days=2)
    for minutes, state, value in ((0, AlertState.FIRING, 7.5), (30, AlertState.RESOLVED, 2.0)):
        yield AlertEvent(
            ts=at + timedelta(minutes=minutes), rule="cost-spike", state=state, value=value, threshold=5.0
        )
    yield AlertEvent(ts=at, rule="api-errors", state=AlertState.NO_DATA, value=None, threshold=0.05)


GRAPH = (
    '{"nodes":[{"id":"g","kind":"goal","label":"Grow"},{"id":"d","kind":"decision","label":"Raise the price?"},'
    '{"id":"o","kind":"option","label":"Raise"}],"edges":[{"id":"g::d::0","from":"g","to":"d"},'
    '{"id":"d::o::0","from":"d","to":"o"}]}'
)
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)> ![x](http://192.0.2.1/pixel.png)"
)


def contents():
    """Stored graphs and outputs of the evaluation's first cases, one of them hostile."""
    for number in range(12):
        request_id = f"run-e-all-openai-{number:05d}"
        for kind, text in (("graph", GRAPH), ("brief", "Shall we raise the price?"), ("output", HOSTILE)):
            yield Content(
                run_id="run-e", request_id=request_id, call_id=None, kind=kind, ts=EVAL.start, text=text
            )
