"""The one place where the figures of a run are computed."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.analysis.dependence import dependent_quantile_interval
from harness.analysis.goodput import tokens_per_chunk
from harness.analysis.interval import wilson
from harness.analysis.percentile import Quantile, latency_percentile
from harness.analysis.sample import (
    LatencySample,
    RunFacts,
    counted,
    latency_sample,
    provider_mode,
    throughput_rps,
)
from harness.pricing import PriceBook
from harness.records import Call, ErrorKind, Request, RequestStatus, Tier
from harness.report.columns import empty_columns
from harness.report.figures import (
    ErrorGroup,
    GeneratorFigures,
    LatencyFigure,
    QualityFigures,
    RunHead,
    RunSummary,
)
from harness.report.spending import cost_figures, saving_figures

QUANTILES = (0.5, 0.95, 0.99)


def run_summary(
    requests: Sequence[Request], calls: Sequence[Call], run: RunFacts, *, book: PriceBook | None = None
) -> RunSummary:
    """Every figure of a run: the terminal table, the JSON, the HTML and the dashboard show these.

    Args:
        requests: of the run, warm-ups included (they are left out of all figures but their own count).
        calls: attempts of the run; may be empty when the target kept them to itself.
        run: a stored run, or one read from a report file.
        book: prices for "what one provider alone would have cost"; None loads the shipped ones.

    Returns:
        The figures; what is unknown is None and has a reason in `empty_columns`.
    """
    rows = counted(requests)
    ok = [row for row in rows if row.status is RequestStatus.OK]
    sample = latency_sample(requests)
    return RunSummary(
        run=_head(run, requests),
        requests=len(rows),
        ok=len(ok),
        warmups=sum(row.warmup for row in requests),
        latency_source=sample.source,
        unknown_latency=sample.unknown,
        latency=latency_figures(sample),
        service=_quantiles((row.service_ms for row in ok), failures=len(rows) - len(ok)),
        ttft=_quantiles(row.ttft_ms for row in ok),
        first_answer=_quantiles(row.first_answer_ms for row in ok),
        itl=_quantiles(row.itl_ms for row in ok),
        tokens_per_chunk=tokens_per_chunk(ok),
        error_ratio=wilson(len(rows) - len(ok), len(rows)),
        errors=error_groups(rows),
        throughput_rps=throughput_rps(requests),
        cost=cost_figures(requests, calls),
        quality=_quality(rows, ok),
        saving=saving_figures(requests, calls, book or PriceBook.load()),
        generator=_generator(rows, run),
        telemetry_missing=run.summary.get("telemetry_missing"),
        telemetry_broken=run.summary.get("telemetry_broken"),
        empty_columns=empty_columns(rows, calls),
    )


def latency_figures(sample: LatencySample) -> tuple[LatencyFigure, ...]:
    """p50, p95 and p99 with their intervals; failures rank above every success."""
    return tuple(
        LatencyFigure(
            quantile=latency_percentile(sample.latency_ms, failures=sample.failures, q=q),
            interval=dependent_quantile_interval(sample.arrivals_ms, q=q) if sample.n else None,
        )
        for q in QUANTILES
    )


def error_groups(rows: Iterable[Request]) -> tuple[ErrorGroup, ...]:
    """Failed requests by status, kind and HTTP status, most frequent first, with one excerpt each."""
    groups: dict[tuple[RequestStatus, ErrorKind | None, int | None], list[Request]] = {}
    for row in rows:
        if row.status is not RequestStatus.OK:
            groups.setdefault((row.status, row.error_kind, row.http_status), []).append(row)
    return tuple(
        ErrorGroup(
            status=status,
            kind=kind,
            http_status=http_status,
            count=len(group),
            example=next((row.error_message for row in group if row.error_message), None),
        )
        for (status, kind, http_status), group in sorted(groups.items(), key=lambda item: -len(item[1]))
    )


def _head(run: RunFacts, requests: Sequence[Request]) -> RunHead:
    return RunHead(
        run_id=run.run_id,
        name=run.name,
        kind=run.kind,
        status=run.status,
        provider_mode=provider_mode(requests, run),
        environment=run.environment,
        target=run.target,
        started_at=run.started_at,
        ended_at=run.ended_at,
        git_sha=run.git_sha,
        harness_version=run.harness_version,
    )


def _quantiles(values: Iterable[float | None], *, failures: int = 0) -> tuple[Quantile, ...]:
    """Quantiles of the known values; empty when none is known."""
    known = [value for value in values if value is not None and math.isfinite(value) and value >= 0]
    if not known:
        return ()
    return tuple(latency_percentile(known, failures=failures, q=q) for q in QUANTILES)


def _quality(rows: Sequence[Request], ok: Sequence[Request]) -> QualityFigures:
    tiers = Counter(row.quality_tier for row in ok)
    graded = [row for row in ok if row.quality_tier is not None]
    scores = [row.quality_score for row in ok if row.quality_score is not None]
    sourced = [row for row in rows if row.draft_source is not None]
    cache_known = [row for row in rows if row.prompt_cache_hit is not None]
    return QualityFigures(
        tiers={tier: tiers[tier] for tier in Tier},
        ungraded=len(ok) - len(graded),
        high=wilson(tiers[Tier.HIGH], len(graded)),
        mean_score=sum(scores) / len(scores) if scores else None,
        mixed=wilson(sum(row.mixed_providers is True for row in sourced), len(sourced)),
        repaired=wilson(sum(row.repair_source is not None for row in sourced), len(sourced)),
        cache_hit=wilson(sum(row.prompt_cache_hit is True for row in cache_known), len(cache_known)),
        fallbacks=dict(Counter(row.fallback_reason.value for row in rows if row.fallback_reason is not None)),
    )


def _generator(rows: Sequence[Request], run: RunFacts) -> GeneratorFigures:
    told = [row.lateness_ms for row in rows if row.lateness_ms is not None]
    late = [max(0.0, value) for value in told if math.isfinite(value)]
    suspect = run.summary.get("suspect")
    return GeneratorFigures(
        lateness_p50_ms=latency_percentile(late, q=0.5).value_ms,
        lateness_p99_ms=latency_percentile(late, q=0.99).value_ms,
        n=len(late),
        suspect=None if suspect is None else bool(suspect),
        reasons=tuple(str(reason) for reason in run.summary.get("suspect_reasons") or ()),
    )
