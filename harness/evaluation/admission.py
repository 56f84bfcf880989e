"""Whether the evaluation's budget can carry one more case to its end.

A case starts only if its worst case fits beside the worst cases of those under way, so that a budget ends a
run between cases, not inside one. The calls themselves reserve from the same budget, which never gives more
than it has.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from harness.orchestration import Route, Strategy
from harness.orchestration.attempt import prompt_bytes
from harness.pricing import Budget, PriceBook
from harness.pricing.catalogue import STANDARD
from harness.records import Prompt

ANSWER_BYTES_PER_TOKEN = 4
"""A repair is shown the draft it has to mend: so many bytes a token of it at the most, as a rule."""


@dataclass(slots=True)
class Hold:
    """A case under way: its worst case, and the budget its calls book in."""

    amount_usd: Decimal
    budget: Budget

    @property
    def outstanding_usd(self) -> Decimal:
        """What it may still come to ask for."""
        return max(Decimal(0), self.amount_usd - self.budget.committed_usd)


class Admission:
    """Keeps the cases under way and what they may still cost.

    Args:
        budget: the evaluation's own; without a limit every case is admitted.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._holds: dict[int, Hold] = {}
        self._set_aside_usd = Decimal(0)

    @property
    def under_way(self) -> int:
        """Cases admitted and not yet released."""
        return len(self._holds)

    def admit(self, seq: int, amount_usd: Decimal) -> Hold | None:
        """A hold for a case, or None when the budget may not carry it to its end."""
        remaining = self.budget.remaining_usd
        promised = sum((hold.outstanding_usd for hold in self._holds.values()), self._set_aside_usd)
        if remaining is not None and promised + amount_usd > remaining:
            return None
        hold = self._holds[seq] = Hold(amount_usd, Budget("case", None, self.budget))
        return hold

    def set_aside(self, amount_usd: Decimal) -> None:
        """Keep so much from further cases: what was answered is still to be judged."""
        self._set_aside_usd += amount_usd

    def release(self, seq: int) -> None:
        """The case has ended."""
        self._holds.pop(seq, None)


def worst_case_usd(
    strategy: Strategy,
    prompt: Prompt,
    book: PriceBook,
    at: datetime,
    *,
    repairs: bool,
    context: str = STANDARD,
) -> Decimal:
    """The most that one case should cost when each role answers at its first attempt, at a context's prices.

    Raises:
        UnpricedModelError: a model without a price.
    """
    size = prompt_bytes(prompt)
    drafts = [strategy.draft, *strategy.others, strategy.escalate_to, strategy.hedge]
    most = prompt.max_tokens

    def worst(route: Route, size_bytes: int) -> Decimal:
        return worst_call_usd(route, size_bytes, most, book, at, context=context)

    total = sum((worst(route, size) for route in drafts if route is not None), Decimal(0))
    menders = [strategy.repair]
    if strategy.rules:  # one of them drafts, and perhaps repairs
        ruled = [strategy.draft, *(rule.draft for rule in strategy.rules)]
        total = max(worst(route, size) for route in ruled)
        menders = ruled if strategy.repairs_itself else menders
    if repairs:
        total += max(worst(route, size + ANSWER_BYTES_PER_TOKEN * most) for route in menders)
    return total


def worst_call_usd(
    route: Route,
    size_bytes: int,
    max_tokens: int,
    book: PriceBook,
    at: datetime,
    *,
    context: str = STANDARD,
) -> Decimal:
    """The most that one attempt can cost, at a context's prices.

    Raises:
        UnpricedModelError: a model without a price.
    """
    local = route.settings.local
    worst = book.worst_case_usd(
        route.provider,
        route.model,
        prompt_bytes=size_bytes,
        max_tokens=max_tokens,
        at=at,
        context=context,
        local=local,
    )
    if worst is None:
        book.require(route.provider, route.model, local=local)
    return worst or Decimal(0)
