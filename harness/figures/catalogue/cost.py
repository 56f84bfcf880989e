"""What requests cost: every paid attempt of a request, judges apart."""

from harness.figures.declaration import Better, Figure, Mean, Ratio, Unit

_SOURCE = "the request's own cost, else the sum of its attempts where every one has a price"


def _mean(name: str, title: str, column: str) -> Figure:
    return Figure(
        name=name,
        title=title,
        unit=Unit.USD,
        better=Better.LESS,
        rows="requests of known cost",
        source=_SOURCE,
        rule=Mean(value=f"{column}::DOUBLE", least=0.0),
    )


FIGURES = (
    _mean("cost_per_request", "cost per request", "usd"),
    _mean("draft_cost_per_request", "draft cost per request", "draft_usd"),
    _mean("repair_cost_per_request", "repair cost per request", "repair_usd"),
    Figure(
        name="cost_per_high_answer",
        title="cost per high-tier answer",
        unit=Unit.USD,
        better=Better.LESS,
        rows="requests of known cost, failures included",
        source=_SOURCE,
        rule=Ratio(
            top="usd::DOUBLE",
            bottom="CASE WHEN status = 'ok' AND quality_tier = 'high' THEN 1.0 ELSE 0.0 END",
        ),
        optional=True,
    ),
)
