"""Goodput: the share of requests answered inside every objective."""

from dataclasses import dataclass

from harness.figures.declaration import Better, Figure, Share, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Limits that a good request keeps, milliseconds; None sets no limit."""

    latency_ms: float | None = None
    ttft_ms: float | None = None
    itl_ms: float | None = None

    @property
    def wording(self) -> str:
        """`latency 8000 ms, first token 500 ms`."""
        limits = (
            ("latency", self.latency_ms),
            ("first token", self.ttft_ms),
            ("between tokens", self.itl_ms),
        )
        return ", ".join(f"{name} {limit:g} ms" for name, limit in limits if limit is not None)


def goodput(objectives: Objectives) -> Figure:
    """The figure by these objectives.

    A failure is outside, and so is an answer without a figure that an objective is about: it did not show
    that it is inside.
    """
    limits = (("ms", objectives.latency_ms), ("ttft_ms", objectives.ttft_ms), ("itl_ms", objectives.itl_ms))
    inside = [f"{column} <= {float(limit)!r}::DOUBLE" for column, limit in limits if limit is not None]
    return Figure(
        name="goodput",
        title=f"goodput within {objectives.wording}",
        unit=Unit.RATIO,
        better=Better.MORE,
        rows="all requests; a failed one is outside",
        source="latency, time to first token and between tokens",
        rule=Share(hit=" AND ".join(["status = 'ok'", *inside])),
    )
