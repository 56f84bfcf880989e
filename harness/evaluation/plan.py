"""What an evaluation asks: every (repeat, case, strategy), with ids that a resumed run knows again."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from harness.orchestration import Strategy
from harness.tasks.briefs import BriefCase

Key = tuple[str, str, int]
"""(strategy, case id, repeat): what one unit is, whenever it is asked."""

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9._-]")
_MOST_ID_CHARS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One case asked once by one strategy. `repeat` counts from 1."""

    seq: int
    strategy: Strategy
    case: BriefCase
    repeat: int

    @property
    def key(self) -> Key:
        """What identifies it within its run."""
        return self.strategy.name, self.case.case_id, self.repeat

    def request_id(self, run_id: str, generation: int = 1) -> str:
        """The same for the same unit; a case asked again after a crash is another generation.

        Args:
            run_id: of the run.
            generation: 1 for the first time it is asked.
        """
        name = ":".join(_NOT_IN_IDS.sub("_", part) for part in (self.strategy.name, self.case.case_id))
        again = "" if generation == 1 else f".{generation}"
        text = f"{run_id}:{name}:{self.repeat}{again}"
        if len(text) <= _MOST_ID_CHARS:
            return text
        return f"{run_id}:{sha256(name.encode()).hexdigest()[:32]}:{self.repeat}{again}"


def shuffled(cases: Sequence[BriefCase], seed: int) -> tuple[BriefCase, ...]:
    """The cases in an order that depends on nothing but the seed and their ids."""
    return tuple(sorted(cases, key=lambda case: sha256(f"{seed}:{case.case_id}".encode()).digest()))


def units_by_case(strategies: Sequence[Strategy], cases: Sequence[BriefCase], repeats: int) -> Iterator[Unit]:
    """Cases outermost: wherever a run is stopped, the cases it has asked are complete."""
    triples = (
        (case, repeat, strategy)
        for case in cases
        for repeat in range(1, repeats + 1)
        for strategy in strategies
    )
    for seq, (case, repeat, strategy) in enumerate(triples):
        yield Unit(seq=seq, strategy=strategy, case=case, repeat=repeat)


def units(strategies: Sequence[Strategy], cases: Sequence[BriefCase], repeats: int) -> Iterator[Unit]:
    """Repeats outermost, strategies innermost: wherever a budget ends a run, its strategies stand alike."""
    seq = 0
    for repeat in range(1, repeats + 1):
        for case in cases:
            for strategy in strategies:
                yield Unit(seq=seq, strategy=strategy, case=case, repeat=repeat)
                seq += 1
