"""What the n-th request asks: every brief once a round, each round in an order of its own, by seed."""

from collections.abc import Sequence
from pathlib import Path

from harness.load.exchange import Exchange
from harness.orchestration.datasets import load_dataset
from harness.tasks.briefs import BriefCase, case_for

MAX_ROUNDS = 16
"""Orders that are worked out in advance; a longer run goes through them again."""


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
        cases: Sequence[BriefCase] = load_dataset(path)
        rounds = MAX_ROUNDS if requests is None else min(MAX_ROUNDS, -(-requests // len(cases)))
        bodies = {case.case_id: exchange.body(case.body, model=model) for case in cases}
        order = [case_for(cases, seq, seed=seed).case_id for seq in range(max(1, rounds) * len(cases))]
        self._entries = [(case_id, bodies[case_id]) for case_id in order]

    def __getitem__(self, seq: int) -> tuple[str, bytes]:
        """Case id and body of arrival `seq`."""
        return self._entries[seq % len(self._entries)]
