"""How long requests took: from the intended start, from the send, to the first token, between tokens."""

from harness.figures.declaration import Better, Figure, Quantile, Unit

_CLOCK = "the client's clock where any request has it, else the server's; never both"
_ALL = "all requests; a failed one is slower than every answer"
_ANSWERS = "answers that tell it"


def _figure(name: str, title: str, q: float, *, ms: str, rows: str, source: str) -> Figure:
    percent = f"{q * 100:.10g}"
    ranked = rows == _ALL
    of = "lateness_ms IS NOT NULL" if name == "lateness" else "status = 'ok'"
    return Figure(
        name=f"p{percent}_{name}",
        title=f"{title} p{percent}",
        unit=Unit.MS,
        better=Better.LESS,
        rows=rows,
        source=source,
        rule=Quantile(ms=ms, q=q, of=of, failures_rank=ranked),
        optional=name != "latency",
    )


FIGURES = (
    *(_figure("latency", "latency", q, ms="ms", rows=_ALL, source=_CLOCK) for q in (0.5, 0.95, 0.99)),
    *(
        _figure("service_time", "service time", q, ms="service_ms", rows=_ALL, source="client, from the send")
        for q in (0.5, 0.95)
    ),
    *(
        _figure("ttfb", "time to first byte", q, ms="ttfb_ms", rows=_ANSWERS, source="the answer's head")
        for q in (0.5, 0.95)
    ),
    *(
        _figure("ttft", "time to first token", q, ms="ttft_ms", rows=_ANSWERS, source="the stream")
        for q in (0.5, 0.95)
    ),
    *(
        _figure(
            "first_answer",
            "time to first answer token",
            q,
            ms="first_answer_ms",
            rows=_ANSWERS,
            source="the stream, reasoning left out",
        )
        for q in (0.5, 0.95)
    ),
    *(
        _figure(
            "itl",
            "inter-token latency",
            q,
            ms="itl_ms",
            rows=_ANSWERS,
            source="the stream: per token where usage tells them, else per chunk",
        )
        for q in (0.5, 0.95)
    ),
    *(
        _figure(
            "lateness",
            "generator lateness",
            q,
            ms="greatest(lateness_ms, 0)",
            rows="requests of a load generator",
            source="the generator's own clock: no fault of the target",
        )
        for q in (0.5, 0.99)
    ),
)
