"""vLLM's `bench serve`: aggregates, and with `--save-detailed` a list by request of times in seconds.

A failed request has time to first token 0 there and no gaps: it has no latency. A request's latency is that
of its last token, the first token's time and the gaps added; the end of the stream is not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.imports.results.observed import Contents, Observed, milliseconds, number, told, whole
from harness.imports.results.source import ResultFile
from harness.records import RequestStatus, RunKind
from harness.records.told_by_tool import ToldFigure

TITLE = "vLLM bench serve JSON"
_MEASURES = {"ttft": "ttft", "tpot": "time_per_token", "itl": "itl", "e2el": "latency"}
_ANSWERED = "requests that succeeded"


def recognises(source: ResultFile) -> bool:
    """The benchmark's own names."""
    return {"total_input_tokens", "completed", "request_throughput", "num_prompts"} <= set(source.top)


def contents(source: ResultFile) -> Contents:
    """Each request of a detailed file; of another, its aggregates."""
    top = source.top
    found = Contents(tool="vLLM bench serve", kind=RunKind.BASELINE, figures=_figures(top))
    if isinstance(top.get("ttfts"), list) and isinstance(top.get("itls"), list):
        found.rows = _rows(top)
        found.remarks = ["a latency ends at the last token; failures have none"]
    else:
        found.remarks = ["the file holds aggregates alone: --save-detailed writes each request"]
    return found


def _rows(top: Mapping[str, Any]) -> Iterator[Observed]:
    errors = top.get("errors") or []
    for place, (ttft, gaps) in enumerate(zip(top["ttfts"], top["itls"], strict=False)):
        error = str(_at(errors, place) or "")
        answered = not error and bool(number(ttft))
        ttft_ms = milliseconds(ttft, scale=1000) if answered else None
        gaps_ms = (
            [found for gap in gaps if (found := milliseconds(gap, scale=1000)) is not None]
            if answered
            else []
        )
        latency_ms = None if ttft_ms is None else ttft_ms + sum(gaps_ms)
        yield Observed(
            number=place + 1,
            status=RequestStatus.OK if answered else RequestStatus.ERROR,
            error_message=None if answered else error or "no token came",
            model=str(top.get("model_id")) if top.get("model_id") else None,
            latency_ms=latency_ms,
            service_ms=latency_ms,
            ttft_ms=ttft_ms,
            itl_ms=sum(gaps_ms) / len(gaps_ms) if gaps_ms else None,
            stream_chunks=len(gaps_ms) + 1 if answered else None,
            input_tokens=whole(_at(top.get("input_lens") or [], place)) if answered else None,
            output_tokens=whole(_at(top.get("output_lens") or [], place)) if answered else None,
        )


def _figures(top: Mapping[str, Any]) -> list[ToldFigure]:
    figures = told(
        {"completed": top.get("completed"), "failures": top.get("failed"), "prompts": top.get("num_prompts")},
        of="requests",
    )
    tokens = {"input_tokens": top.get("total_input_tokens"), "output_tokens": top.get("total_output_tokens")}
    figures += told({**tokens, "requests_per_s": top.get("request_throughput")}, of=_ANSWERED)
    for theirs, ours in _MEASURES.items():
        suffix = f"_{theirs}_ms"
        named = {
            f"{name.removesuffix(suffix)}_{ours}_ms": value
            for name, value in top.items()
            if name.endswith(suffix)
        }
        figures += told(named, of=_ANSWERED)
    return figures


def _at(values: Sequence[Any], place: int) -> Any:
    return values[place] if place < len(values) else None
