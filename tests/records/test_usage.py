import pytest

from harness.records import Tier, Usage, tier_of


def test_the_parts_of_the_input_add_up_to_its_total() -> None:
    usage = Usage(
        input_tokens=12_307,
        output_tokens=550,
        cache_read_tokens=4,
        cache_write_5m_tokens=12_000,
        cache_write_1h_tokens=300,
    )
    assert usage.cache_write_tokens == 12_300
    assert usage.uncached_input_tokens == 3


@pytest.mark.parametrize(
    "counts",
    [
        {"input_tokens": -1, "output_tokens": 0},
        {"input_tokens": 1, "output_tokens": 0, "cache_read_tokens": 2},
        {"input_tokens": 1, "output_tokens": 1, "reasoning_tokens": 2},
    ],
)
def test_impossible_counts_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="token"):
        Usage(**counts)


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (None, None),
        (1.0, Tier.HIGH),
        (0.9, Tier.HIGH),
        (0.8999, Tier.MEDIUM),
        (0.7, Tier.MEDIUM),
        (0.0, Tier.LOW),
    ],
)
def test_tiers_begin_at_their_lower_bound(score: float | None, tier: Tier | None) -> None:
    assert tier_of(score) is tier
