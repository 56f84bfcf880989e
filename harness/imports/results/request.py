"""One observed request as a row of ours, with its cost by our prices."""

from datetime import datetime
from decimal import Decimal

from harness.imports.outcome_import import ENVIRONMENT
from harness.imports.results.observed import Observed
from harness.pricing import PriceBook
from harness.providers.reading.excerpts import excerpt
from harness.providers.reading.failures import kind_of
from harness.records import (
    ErrorKind,
    LatencySource,
    Request,
    RequestStatus,
    ScoreBasis,
    Usage,
    tier_of,
)

_EXCERPT_CHARS = 300


def imported_request(
    row: Observed, run_id: str, book: PriceBook, *, provider: str | None, at: datetime
) -> tuple[Request, str | None]:
    """The row, and the name under which its cost is unknown; None where it is known.

    Args:
        row: as the tool saw it.
        run_id: the run it becomes part of.
        book: prices.
        provider: where the row names none.
        at: whose prices count where the row does not say when it was.
    """
    source = row.provider or provider
    cost_usd = _cost_usd(row, source, book, row.started_at or at)
    status, kind = _outcome(row)
    answered = status is RequestStatus.OK
    request = Request(
        run_id=run_id,
        request_id=f"{run_id}-{row.number}",
        status=status,
        seq=row.number,
        scenario=row.scenario,
        strategy=row.strategy,
        case_id=row.case_id,
        repeat=row.repeat,
        scheduled_at=row.scheduled_at,
        started_at=row.started_at,
        latency_ms=row.latency_ms,
        service_ms=row.service_ms,
        latency_source=None if row.latency_ms is None else LatencySource.CLIENT,
        ttft_ms=row.ttft_ms,
        itl_ms=row.itl_ms,
        stream_chunks=row.stream_chunks,
        http_status=row.http_status,
        error_kind=kind,
        error_message=None if row.error_message is None else excerpt(row.error_message, limit=_EXCERPT_CHARS),
        warmup=row.warmup,
        draft_source=source,
        draft_model=row.model,
        draft_cost_usd=cost_usd,
        cost_usd=cost_usd,
        unpriced=cost_usd is None and answered,
        prompt_cache_hit=None if row.cache_read_tokens is None else row.cache_read_tokens > 0,
        quality_score=row.score if answered else None,
        score_basis=None if row.score is None or not answered else ScoreBasis.LABELLED,
        quality_tier=tier_of(row.score) if answered else None,
        environment=ENVIRONMENT,
        draft_input_tokens=row.input_tokens,
        draft_cache_read_tokens=row.cache_read_tokens,
        draft_cache_write_tokens=row.cache_write_tokens,
        draft_output_tokens=row.output_tokens,
    )
    named = "/".join(part for part in (source, row.model) if part) or "an unknown model"
    return request, named if cost_usd is None and answered else None


def _cost_usd(row: Observed, provider: str | None, book: PriceBook, at: datetime) -> Decimal | None:
    if row.from_cache:
        return Decimal(0)
    usage = _usage(row)
    if usage is None or provider is None or row.model is None:
        return None
    return book.price(provider, row.model, usage, at=at, itemised=False).cost_usd


def _usage(row: Observed) -> Usage | None:
    """None where a count is unknown or the parts exceed their whole: then the cost is unknown, too."""
    if row.input_tokens is None or row.output_tokens is None:
        return None
    try:
        return Usage(
            input_tokens=row.input_tokens,
            output_tokens=row.output_tokens,
            cache_read_tokens=row.cache_read_tokens or 0,
            cache_write_5m_tokens=row.cache_write_tokens or 0,
        )
    except ValueError:
        return None


def _outcome(row: Observed) -> tuple[RequestStatus, ErrorKind | None]:
    """How it ended, and why by our words; a failure that tells no status tells no kind."""
    if row.status is RequestStatus.TIMEOUT:
        return row.status, ErrorKind.TIMEOUT
    if row.status is RequestStatus.OK or row.http_status is None:
        return row.status, None
    kind = kind_of(row.http_status, row.error_message)
    if kind is ErrorKind.RATE_LIMITED:
        return RequestStatus.REJECTED, kind
    return row.status, kind
