"""What the n-th request asks: every brief once a round, each round in an order of its own, by seed."""

from pathlib import Path

from harness.load.exchange import Exchange
from harness.orchestration.datasets import load_dataset
from harness.tasks.briefs import round_order

MAX_ROUNDS = 16
"""Orders that are worked out in advance; a longer run goes through them again."""

MOST_PLACES = 1_000_000
"""A large set repeats its orders sooner, so that they stay small; one whole round is always kept."""


class CaseBook:
    """Case ids and request bodies by sequence number, worked out before the run.

    Args:
        path: a data set: JSONL, YAML or CSV.
        exchange: makes the bodies.
        seed: of the order.
        model: for exchanges with a bare model.
        requests: how many rounds are needed; None for as many as are kept.
    """

    def __init__(
        self, path: Path, exchange: Exchange, *, seed: int, model: str | None, requests: int | None
    ) -> None:
        cases = load_dataset(path)
        ids = [case.case_id for case in cases]
        entries = [(case.case_id, exchange.body(case.body, model=model)) for case in cases]
        most = max(1, min(MAX_ROUNDS, MOST_PLACES // len(cases)))
        rounds = most if requests is None else min(most, max(1, -(-requests // len(cases))))
        self._entries = [
            entries[place] for lap in range(rounds) for place in round_order(ids, lap, seed=seed)
        ]

    def __getitem__(self, seq: int) -> tuple[str, bytes]:
        """Case id and body of arrival `seq`."""
        return self._entries[seq % len(self._entries)]
