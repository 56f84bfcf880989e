"""Policies: functions of cells that say what each unit would have cost, taken and reached.

Each draft is the recorded one; a draft that broke rules pays the repair that was recorded, at the strategy's
own repair model. Costs add up over attempts, latencies as the attempts follow one another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Cells, Column, Source
from harness.strategies.checkers import Checker, ValidatorChecker

LEAST_REPAIRS = 10
"""Of fewer, a model's own pace of repairing is not told."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a policy gives over the units, shape (N,) each; not a number is unknown.

    Where a policy leaves a unit to chance, `usd`, `ok` and `high` are expectations, and `ms` is of the branch
    that the unit's own number draws.
    """

    usd: Column
    ms: Column
    ok: Column
    high: Column


class World:
    """Cells at the prices of a book; what many policies ask for is worked out once.

    Args:
        cells: the recorded drafts and repairs.
        book: prices repairs at other models than the recorded one.
        speed: what the recorded latencies were divided by; a hedge's delay is divided likewise.
    """

    def __init__(self, cells: Cells, book: PriceBook, *, speed: float = 1.0) -> None:
        self.cells = cells
        self.book = book
        self.speed = speed
        self._answered: dict[tuple[ModelRef, ModelRef | None], Way] = {}
        self._escalated: dict[tuple[ModelRef, ModelRef, ModelRef], tuple[Way, Way]] = {}

    def of(self, units: NDArray[Any]) -> "World":
        """The same over some units (places, or a mask)."""
        return World(self.cells.of(units), self.book, speed=self.speed)

    def source(self, ref: ModelRef) -> Source:
        """The drafts of a model.

        Raises:
            KeyError: the model is no source.
        """
        return next((own for own in self.cells.sources if own.ref == ref), None) or _missing(ref)

    def answered(self, source: Source, repair: ModelRef | None) -> Way:
        """A model's drafts with the recorded repairs, at the prices of a repair model."""
        key = (source.ref, repair)
        if key not in self._answered:
            self._answered[key] = Way(
                usd=source.draft_usd + source.repair_usd_at(repair, self.book),
                ms=source.draft_ms + self._mending_ms(source, repair),
                ok=source.ok.astype(np.float64),
                high=source.high,
            )
        return self._answered[key]

    def _mending_ms(self, source: Source, repair: ModelRef | None) -> Column:
        """The recorded repair times; of another model, those of its own repairs in the order of these.

        Where too few of its own are recorded, the recorded ones stand for them.
        """
        own = next((other for other in self.cells.sources if other.ref == other.repairer == repair), None)
        if own is None or repair == source.repairer:
            return source.repair_ms
        timed = source.repaired & ~np.isnan(source.repair_ms)
        took = np.sort(own.repair_ms[own.repaired & ~np.isnan(own.repair_ms)])
        if len(took) < LEAST_REPAIRS or not timed.any():
            return source.repair_ms
        ranks = source.repair_ms[timed].argsort().argsort()
        found = source.repair_ms.copy()
        found[timed] = np.quantile(took, (ranks + 0.5) / len(ranks))
        return found

    def escalated(self, first: ModelRef, then: ModelRef, repair: ModelRef) -> tuple[Way, Way]:
        """A cascade's two ways, whatever the checker: the first answer kept, or the second asked as well."""
        key = (first, then, repair)
        if key not in self._escalated:
            cheap, dear = self.source(first), self.source(then)
            kept, again = self.answered(cheap, repair), self.answered(dear, repair)
            after = Way(
                usd=cheap.draft_usd
                + np.where(dear.ok, again.usd, dear.draft_usd + kept.usd - cheap.draft_usd),
                ms=cheap.draft_ms + np.where(dear.ok, again.ms, dear.draft_ms + kept.ms - cheap.draft_ms),
                ok=np.maximum(kept.ok, again.ok),
                high=np.where(dear.ok, again.high, kept.high),
            )
            self._escalated = {key: (kept, after)}  # of one pair at a time: its checkers follow one another
        return self._escalated[key]


def _missing(ref: ModelRef) -> Source:
    raise KeyError(str(ref))


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One model drafts; it or another repairs.

    Attributes:
        draft: provider/model.
        repair: the same; None for the draft's own.
    """

    draft: ModelRef
    repair: ModelRef | None = None

    @property
    def name(self) -> str:
        """For people."""
        if self.repair in (None, self.draft):
            return self.draft.model
        return f"{self.draft.model}, repaired by {_model(self.repair)}"

    @property
    def checker(self) -> Checker | None:
        """None decides anything."""
        return None

    def over(self, world: World) -> Way:
        """The draft and its repair."""
        return world.answered(world.source(self.draft), self.repair or self.draft)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """A cheap model first; another one drafts anew where the checker does not let the answer pass."""

    first: ModelRef
    then: ModelRef
    checker: Checker
    repair: ModelRef | None = None

    @property
    def name(self) -> str:
        """For people."""
        mender = f", repaired by {self.repair.model}" if self.repair not in (None, self.then) else ""
        return f"{self.first.model} then {self.then.model}, by {self.checker.name}{mender}"

    def over(self, world: World) -> Way:
        """The first answer where it passes, else the second; the first again where the second one failed."""
        kept, again = world.escalated(self.first, self.then, self.repair or self.then)
        accepted = self.checker.accepts(world.source(self.first))
        return chosen(accepted, kept, again, world.cells.chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Another model answers where the first one failed."""

    first: ModelRef
    then: ModelRef
    repair: ModelRef | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.first.model}, {self.then.model} where it fails"

    @property
    def checker(self) -> Checker | None:
        """A failure needs none."""
        return None

    def over(self, world: World) -> Way:
        """The first where it answered, else what its failure took and the second."""
        first, then = world.source(self.first), world.source(self.then)
        repair = self.repair or self.first
        kept, again = world.answered(first, repair), world.answered(then, repair)
        after = Way(
            usd=first.draft_usd + again.usd, ms=first.draft_ms + again.ms, ok=again.ok, high=again.high
        )
        return chosen(first.ok.astype(np.float64), kept, after, world.cells.chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """Another model is asked as well after a delay; the first good answer wins, and both are paid."""

    first: ModelRef
    second: ModelRef
    after_ms: float
    repair: ModelRef | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.first.model}, {self.second.model} too after {self.after_ms / 1000:g} s"

    @property
    def checker(self) -> Checker | None:
        """A hedge waits for the task's own rules."""
        return ValidatorChecker()

    def over(self, world: World) -> Way:
        """The first alone where it was good in time; else the earlier good one, or the first readable one."""
        a, b = world.source(self.first), world.source(self.second)
        repair = self.repair or self.first
        one, two = world.answered(a, repair), world.answered(b, repair)
        good_a, good_b = a.ok & ~a.repaired, b.ok & ~b.repaired
        after_ms = self.after_ms / world.speed
        alone = good_a & (a.draft_ms <= after_ms)
        # a failure or a bad draft starts the second one at once
        ready_b = np.minimum(after_ms, a.draft_ms) + b.draft_ms
        first_wins = np.where(good_a & good_b, a.draft_ms <= ready_b, good_a | (~good_b & a.ok))
        waited = np.where(
            good_a | good_b, np.where(first_wins, a.draft_ms, ready_b), np.maximum(a.draft_ms, ready_b)
        )
        mended = np.where(first_wins, one.usd - a.draft_usd, two.usd - b.draft_usd)
        slower = np.where(first_wins, one.ms - a.draft_ms, two.ms - b.draft_ms)
        both = Way(
            usd=a.draft_usd + b.draft_usd + np.where(a.ok | b.ok, mended, 0.0),
            ms=waited + np.where(a.ok | b.ok, slower, 0.0),
            ok=np.maximum(one.ok, two.ok),
            high=np.where(first_wins, one.high, two.high),
        )
        return Way(
            usd=np.where(alone, one.usd, both.usd),
            ms=np.where(np.isnan(a.draft_ms), np.nan, np.where(alone, one.ms, both.ms)),
            ok=both.ok,
            high=np.where(alone, one.high, both.high),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomMix:
    """A share of the requests goes to the second model by chance: what every clever mix has to beat."""

    first: ModelRef
    second: ModelRef
    share: float

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.second.model} for a random {self.share:.0%}, else {self.first.model}"

    @property
    def checker(self) -> Checker | None:
        """Chance needs none."""
        return None

    def over(self, world: World) -> Way:
        """The expectation over the draw."""
        first, second = (world.source(ref) for ref in (self.first, self.second))
        one, two = world.answered(first, first.ref), world.answered(second, second.ref)
        keep = np.full(world.cells.n, 1.0 - self.share)
        return chosen(keep, one, two, world.cells.chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A router decides before anybody is asked.

    Attributes:
        label: what the router is called.
        to_strong: of each unit of the cells it was made for, shape (N,).
        score_at_least: of the learned router whose file goes with the strategy; None for any other router.
    """

    weak: ModelRef
    strong: ModelRef
    label: str
    to_strong: Callable[[Cells], NDArray[np.bool_]]
    score_at_least: float | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.weak.model} or {self.strong.model}, by {self.label}"

    @property
    def checker(self) -> Checker | None:
        """A router checks no answer."""
        return None

    def over(self, world: World) -> Way:
        """The answer of whom the router chose."""
        weak, strong = (world.source(ref) for ref in (self.weak, self.strong))
        one, two = world.answered(weak, weak.ref), world.answered(strong, strong.ref)
        keep = (~self.to_strong(world.cells)).astype(np.float64)
        return chosen(keep, one, two, world.cells.chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOf:
    """All draft at once, all are paid, and the best draft goes on: by the recorded score, or confidence."""

    refs: tuple[ModelRef, ...]
    pick_by: str = "score"
    repair: ModelRef | None = None

    @property
    def name(self) -> str:
        """For people."""
        return f"the best of {' and '.join(ref.model for ref in self.refs)}, by {self.pick_by}"

    @property
    def checker(self) -> Checker | None:
        """Nothing is asked again."""
        return None

    def over(self, world: World) -> Way:
        """The first of the best; whoever broke no rule before who did, failures last."""
        sources = [world.source(ref) for ref in self.refs]
        repair = self.repair or self.refs[0]
        ways = [world.answered(own, repair) for own in sources]
        worth = np.stack([self._worth(own) for own in sources])
        best = worth.argmax(axis=0)[None, :]
        drafts_usd = np.stack([own.draft_usd for own in sources])
        drafts_ms = np.stack([own.draft_ms for own in sources])

        def taken(columns: list[Column]) -> Column:
            found: Column = np.take_along_axis(np.stack(columns), best, axis=0)[0]
            return found

        mending = [way.usd - own.draft_usd for way, own in zip(ways, sources, strict=True)]
        slower = [way.ms - own.draft_ms for way, own in zip(ways, sources, strict=True)]
        return Way(
            usd=drafts_usd.sum(axis=0) + taken(mending),
            ms=drafts_ms.max(axis=0) + taken(slower),
            ok=taken([way.ok for way in ways]),
            high=taken([way.high for way in ways]),
        )

    def _worth(self, own: Source) -> Column:
        """Comparable within a unit: failed < broke a rule < broke none, then by what it is picked by."""
        told = np.nan_to_num(own.score if self.pick_by == "score" else own.confidence)
        return np.where(own.ok, 2.0 + 2.0 * ~own.repaired + told, 0.0)


Policy = Single | Cascade | Fallback | Hedge | RandomMix | Routed | BestOf


def chosen(keep: Column, one: Way, other: Way, chance: Column) -> Way:
    """Each unit goes one way with its chance, else the other; certain where the chance is 0 or 1."""
    first, second = keep >= 1.0, keep <= 0.0
    if (first | second).all():
        return Way(*(np.where(first, getattr(one, n), getattr(other, n)) for n in Way.__dataclass_fields__))

    def expected(name: str) -> Column:
        a, b = getattr(one, name), getattr(other, name)
        found: Column = np.where(first, a, np.where(second, b, keep * a + (1.0 - keep) * b))
        return found

    return Way(
        usd=expected("usd"),
        ms=np.where(np.isnan(keep), np.nan, np.where(chance < keep, one.ms, other.ms)),
        ok=expected("ok"),
        high=expected("high"),
    )


def _model(ref: ModelRef | None) -> str:
    return "nobody" if ref is None else ref.model
