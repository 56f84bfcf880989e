"""1,000 policies over 100,000 requests of four models, in memory: looked at, and the best judged."""

import numpy as np

from benchmarks.strategies.measure import POLICIES, REQUESTS
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Cells, Source
from harness.strategies.checkers import ConfidenceChecker, StatedChecker
from harness.strategies.policies import Cascade, Hedge, Policy, RandomMix, World
from harness.strategies.search import Limits, searched


def main() -> None:
    """Look at them all."""
    rng = np.random.default_rng(14)
    cells = Cells(
        sources=tuple(_source(rng, rank) for rank in range(4)),
        cases=np.arange(REQUESTS) // 2,
        chance=rng.random(REQUESTS),
    )
    found = searched(World(cells, PriceBook.load()), policies(cells), Limits(min_high_tier=0.6))
    print(f"{found.looked_at:,} policies over {cells.n:,} requests, {len(found.mixes)} judged")


def policies(cells: Cells) -> list[Policy]:
    """Cascades, hedges and random splits of every pair."""
    refs = [source.ref for source in cells.sources]
    pairs = [(a, b) for place, a in enumerate(refs) for b in refs[place + 1 :]]
    found: list[Policy] = []
    step = 0
    while len(found) < POLICIES:
        step += 1
        share = (step % 97) / 97
        for first, then in pairs:
            found += [
                Cascade(first=first, then=then, checker=ConfidenceChecker(share)),
                Cascade(first=first, then=then, checker=StatedChecker(share, 1 - share / 4)),
                Hedge(first=first, second=then, after_ms=50.0 * step),
                RandomMix(first=first, second=then, share=share),
            ]
    return found[:POLICIES]


def _source(rng: np.random.Generator, rank: int) -> Source:
    high = rng.random(REQUESTS) < 0.5 + 0.12 * rank
    repaired = rng.random(REQUESTS) < 0.2
    ref = ModelRef("x", f"m{rank}")
    return Source(
        ref=ref,
        repairer=ref,
        side=ref.model,
        ok=rng.random(REQUESTS) > 0.01,
        repaired=repaired,
        draft_usd=rng.lognormal(-7 + rank, 0.3, REQUESTS),
        draft_ms=rng.lognormal(7 + rank / 5, 0.4, REQUESTS),
        repair_usd=np.where(repaired, 0.001, 0.0),
        repair_ms=np.where(repaired, 600.0, 0.0),
        score=high.astype(float),
        high=high.astype(float),
        confidence=np.clip(0.4 * high + 0.6 * rng.random(REQUESTS), 0, 1),
    )


if __name__ == "__main__":
    main()
