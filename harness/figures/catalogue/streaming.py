"""How fast tokens came."""

from harness.analysis.estimate import Estimate
from harness.figures.declaration import Better, Custom, Figure, Quantile, Unit
from harness.figures.grouping import group_sql
from harness.figures.ranking import Ranking
from harness.figures.selection import Rows

_PER_CHUNK = "nullif(draft_output_tokens, 0)::DOUBLE / nullif(stream_chunks, 0)"
_GAPS = Quantile(
    ms=f"itl_ms / CASE WHEN itl_per = 'token' THEN 1.0 ELSE coalesce({_PER_CHUNK}, 1.0) END",
    q=0.5,
    of="status = 'ok' AND itl_ms > 0",
)
"""Older rows hold gaps between the pieces that arrived; where a piece held several tokens, so many came."""


def _decode_rate(rows: Rows, by: str, confidence: float) -> dict[str, Estimate]:
    """The median gap between tokens, turned round."""
    found = Ranking(rows, by, _GAPS).estimates([_GAPS.q], confidence=confidence)
    return {group: _turned(gap) for group, (gap,) in found.items()}


def _turned(gap: Estimate) -> Estimate:
    def rate(gap_ms: float | None) -> float | None:
        return 1000.0 / gap_ms if gap_ms else None

    return Estimate(
        value=rate(gap.value),
        low=rate(gap.high),
        high=rate(gap.low),
        confidence=gap.confidence,
        method=gap.method,
        n=gap.n,
        unknown=gap.unknown,
    )


def _output_rate(rows: Rows, by: str, confidence: float) -> dict[str, Estimate]:
    """Output tokens of the answers that tell them, per second from the first arrival to the last end."""
    found = rows.rows(
        f"""SELECT {group_sql(by)} AS grp, count(*),
                sum(draft_output_tokens + coalesce(repair_output_tokens, 0))
                / nullif(max(epoch_us(arrived_at) / 1e6 + ms / 1000) - min(epoch_us(arrived_at) / 1e6), 0)
        FROM counted WHERE draft_output_tokens IS NOT NULL AND ms IS NOT NULL AND arrived_at IS NOT NULL
        GROUP BY grp"""  # noqa: S608 - the group is one of the allow-list
    )
    return {
        group: Estimate(
            value=None if rate is None else float(rate),
            low=None,
            high=None,
            confidence=confidence,
            method="whole_run",
            n=n,
        )
        for group, n, rate in found
    }


FIGURES = (
    Figure(
        name="tokens_per_chunk",
        title="tokens in a chunk, median",
        unit=Unit.COUNT,
        better=Better.NEITHER,
        rows="streamed answers that tell their tokens",
        source="draft output tokens and the chunks that arrived",
        rule=Quantile(ms=_PER_CHUNK, q=0.5, of=f"status = 'ok' AND {_PER_CHUNK} IS NOT NULL"),
        optional=True,
    ),
    Figure(
        name="decode_tokens_per_s",
        title="tokens within an answer",
        unit=Unit.TOKENS_PER_S,
        better=Better.MORE,
        rows="answers whose tokens were timed",
        source="the median gap between tokens",
        rule=Custom(estimates=_decode_rate),
        optional=True,
    ),
    Figure(
        name="output_tokens_per_s",
        title="output tokens over the run",
        unit=Unit.TOKENS_PER_S,
        better=Better.MORE,
        rows="answers that tell their tokens",
        source="draft and repair output tokens",
        rule=Custom(estimates=_output_rate),
        optional=True,
    ),
)
