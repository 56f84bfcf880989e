"""How good answers are, and how the route came by them."""

from harness.figures.declaration import Better, Figure, Mean, Share, Unit

_GRADED = "status = 'ok' AND quality_tier IS NOT NULL"
_SOURCED = "told_draft_source IS NOT NULL"


def _tier(tier: str, better: Better) -> Figure:
    return Figure(
        name=f"{tier}_tier",
        title=f"{tier} tier",
        unit=Unit.RATIO,
        better=better,
        rows="graded answers",
        source="quality_tier",
        rule=Share(hit=f"quality_tier = '{tier}'", of=_GRADED),
    )


HIGH_OF_ALL = Figure(
    name="high_tier_of_all",
    title="high tier, of all requests",
    unit=Unit.RATIO,
    better=Better.MORE,
    rows="all requests but ungraded answers; a failed one is not of high tier",
    source="quality_tier",
    rule=Share(
        hit="status = 'ok' AND quality_tier = 'high'", of="status <> 'ok' OR quality_tier IS NOT NULL"
    ),
)
"""What the gate asks for; where nothing failed it is the same as `high_tier`."""

FIGURES = (
    _tier("high", Better.MORE),
    _tier("medium", Better.NEITHER),
    _tier("low", Better.LESS),
    Figure(
        name="quality_score",
        title="quality score",
        unit=Unit.SCORE,
        better=Better.MORE,
        rows="graded answers",
        source="quality_score, 0..1",
        rule=Mean(value="quality_score", of="status = 'ok'", score=True),
    ),
    Figure(
        name="repaired",
        title="repaired",
        unit=Unit.RATIO,
        better=Better.LESS,
        rows="requests that tell their draft's provider",
        source="repair_source",
        rule=Share(hit="repair_source IS NOT NULL", of=_SOURCED),
    ),
    Figure(
        name="mixed_providers",
        title="mixed providers",
        unit=Unit.RATIO,
        better=Better.NEITHER,
        rows="requests that tell their draft's provider",
        source="mixed_providers",
        rule=Share(hit="mixed_providers IS TRUE", of=_SOURCED),
    ),
    Figure(
        name="prompt_cache_hit",
        title="prompt cache hits",
        unit=Unit.RATIO,
        better=Better.MORE,
        rows="requests that tell it",
        source="prompt_cache_hit",
        rule=Share(hit="prompt_cache_hit", of="prompt_cache_hit IS NOT NULL"),
    ),
    Figure(
        name="fallback_ratio",
        title="finished by the simple repair",
        unit=Unit.RATIO,
        better=Better.LESS,
        rows="answers",
        source="fallback_reason",
        rule=Share(hit="fallback_reason IS NOT NULL", of="status = 'ok'"),
        optional=True,
    ),
)
