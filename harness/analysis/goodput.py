"""Goodput and token rates: what a user of a streamed answer gets, from the rows of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from harness.analysis.interval import Estimate, wilson
from harness.analysis.sample import counted
from harness.records import Request, RequestStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Limits that a good request keeps, milliseconds; None sets no limit."""

    latency_ms: float | None = None
    ttft_ms: float | None = None
    itl_ms: float | None = None


def goodput(requests: Sequence[Request], objectives: Objectives) -> Estimate:
    """Share of requests that were answered inside every objective.

    A failure is outside, and so is an answer without a figure that an objective is about: it did not show
    that it is inside.

    Args:
        requests: of a run; warm-ups are left out.
        objectives: the limits.

    Returns:
        The share with its Wilson interval; None for no requests.
    """
    rows = counted(requests)
    return wilson(sum(_inside(row, objectives) for row in rows), len(rows))


def _inside(row: Request, objectives: Objectives) -> bool:
    if row.status is not RequestStatus.OK:
        return False
    limits = (
        (row.latency_ms, objectives.latency_ms),
        (row.ttft_ms, objectives.ttft_ms),
        (row.itl_ms, objectives.itl_ms),
    )
    return all(limit is None or (value is not None and value <= limit) for value, limit in limits)


def output_tokens_per_s(requests: Sequence[Request]) -> float | None:
    """Output tokens of all answers per second of the run, from the first start to the last end.

    Returns:
        None when no answer tells its tokens, or the run has no length.
    """
    rows = [row for row in counted(requests) if row.draft_output_tokens is not None]
    spans = [
        (row.scheduled_at.timestamp(), row.scheduled_at.timestamp() + row.latency_ms / 1000)
        for row in rows
        if row.scheduled_at is not None and row.latency_ms is not None
    ]
    if not spans:
        return None
    length_s = max(end for _, end in spans) - min(start for start, _ in spans)
    tokens = sum((row.draft_output_tokens or 0) + (row.repair_output_tokens or 0) for row in rows)
    return tokens / length_s if length_s > 0 else None


def decode_tokens_per_s(requests: Sequence[Request]) -> float | None:
    """Median over answers of the rate at which tokens arrive after the first; None without streamed ones.

    A gap is one between the pieces that arrived; where a piece holds several tokens, so many come with it.
    """
    ms_per_token = [row.itl_ms / (_tokens_per_chunk(row) or 1.0) for row in counted(requests) if row.itl_ms]
    return 1000.0 / median(ms_per_token) if ms_per_token else None


def tokens_per_chunk(requests: Sequence[Request]) -> float | None:
    """Median over streamed answers of output tokens in a piece; None where no answer tells both."""
    told = [each for row in counted(requests) if (each := _tokens_per_chunk(row)) is not None]
    return median(told) if told else None


def _tokens_per_chunk(row: Request) -> float | None:
    if not row.stream_chunks or not row.draft_output_tokens:
        return None
    return row.draft_output_tokens / row.stream_chunks
