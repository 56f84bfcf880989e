"""How long requests took: from the intended start, from the send, to the first token, between tokens."""

from harness.figures.declaration import Better, Figure, Quantile, Unit

_CLOCK = "the client's clock where any request has it, else the server's; never both"
_ALL = "all requests; a failed one is slower than every answer"
_ANSWERS = "answers that tell it"


def _figure(name: str, title: str, ms: str, q: float, rows: str, source: str) -> Figure:
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
    *(_figure("latency", "latency", "ms", q, _ALL, _CLOCK) for q in (0.5, 0.95, 0.99)),
    *(
        _figure("service_time", "service time", "service_ms", q, _ALL, "client, from the send")
        for q in (0.5, 0.95)
    ),
    *(_figure("ttft", "time to first token", "ttft_ms", q, _ANSWERS, "the stream") for q in (0.5, 0.95)),
    *(_figure("itl", "inter-token latency", "itl_ms", q, _ANSWERS, "the stream") for q in (0.5, 0.95)),
    *(
        _figure(
            "lateness",
            "generator lateness",
            "greatest(lateness_ms, 0)",
            q,
            "requests of a load generator",
            "the generator's own clock: no fault of the target",
        )
        for q in (0.5, 0.99)
    ),
)
