"""Budgets that reserve the worst case before a call and settle with what it really cost.

Settled + reserved never exceeds the limit as long as no call costs more than its reservation, whatever
runs at once: reserving checks and books under one lock, for the budget and all its parents together.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Self

from harness.errors import CostGuardError


@dataclass(slots=True)
class Account:
    """One budget's books; read and written only under the lock that it shares with its parents' accounts."""

    name: str
    limit_usd: Decimal | None
    lock: threading.Lock
    settled_usd: Decimal = Decimal(0)
    reserved_usd: Decimal = Decimal(0)

    def refuse_beyond_limit(self, amount_usd: Decimal) -> None:
        """Raise CostGuardError when the amount does not fit any more."""
        committed_usd = self.settled_usd + self.reserved_usd
        if self.limit_usd is not None and committed_usd + amount_usd > self.limit_usd:
            raise CostGuardError(self.name, self.limit_usd, committed_usd, amount_usd)


class Budget:
    """An amount of money that calls reserve from. Thread-safe, and asyncio-safe: nothing in it waits.

    Args:
        name: what a refusal calls it: `request`, `run`, `evaluation`.
        limit_usd: the most that may be committed; None for no limit of its own (parents still hold).
        parent: the budget that this one is a part of; a reservation is booked in both or in neither.

    Raises:
        ValueError: a negative or non-finite limit.
    """

    def __init__(self, name: str, limit_usd: Decimal | None, parent: "Budget | None" = None) -> None:
        if limit_usd is not None:
            _check_amount(limit_usd, "a budget's limit")
        lock = parent.accounts[0].lock if parent else threading.Lock()
        own = Account(name, limit_usd, lock)
        self.name = name
        self.limit_usd = limit_usd
        self.accounts: tuple[Account, ...] = (own, *(parent.accounts if parent else ()))

    @property
    def settled_usd(self) -> Decimal:
        """What finished calls cost, calls of unknown usage at their reservation."""
        with self.accounts[0].lock:
            return self.accounts[0].settled_usd

    @property
    def reserved_usd(self) -> Decimal:
        """The worst case of the calls in flight."""
        with self.accounts[0].lock:
            return self.accounts[0].reserved_usd

    @property
    def committed_usd(self) -> Decimal:
        """Settled and reserved together."""
        with self.accounts[0].lock:
            return self.accounts[0].settled_usd + self.accounts[0].reserved_usd

    @property
    def remaining_usd(self) -> Decimal | None:
        """What this budget alone can still commit; None without a limit."""
        return None if self.limit_usd is None else self.limit_usd - self.committed_usd

    def reserve(self, amount_usd: Decimal) -> "Reservation":
        """Book the worst case of one call here and in every parent, or nowhere.

        Raises:
            CostGuardError: some budget on the way up has less left; it names the first.
            ValueError: a negative or non-finite amount.
        """
        _check_amount(amount_usd, "a reservation")
        with self.accounts[0].lock:
            for account in self.accounts:
                account.refuse_beyond_limit(amount_usd)
            for account in self.accounts:
                account.reserved_usd += amount_usd
        return Reservation(self.accounts, amount_usd)

    def spend(self, cost_usd: Decimal) -> None:
        """Book money already spent (a resumed run's earlier calls); gone is gone, so it may exceed the limit.

        Raises:
            ValueError: a negative or non-finite amount.
        """
        _check_amount(cost_usd, "an amount spent")
        with self.accounts[0].lock:
            for account in self.accounts:
                account.settled_usd += cost_usd


class Reservation:
    """One call's claim on a budget and its parents.

    As a context manager it settles at its amount if nothing else settled it: a cancelled call never gives
    back money that may have been spent.
    """

    def __init__(self, accounts: Sequence[Account], amount_usd: Decimal) -> None:
        self._accounts = accounts
        self._settled = False
        self.amount_usd = amount_usd

    @property
    def settled(self) -> bool:
        """True once the call's outcome is booked."""
        return self._settled

    def settle(self, cost_usd: Decimal | None) -> None:
        """Replace the reservation by what the call cost.

        Args:
            cost_usd: the real cost, 0 for a call that was never billed; booked in full even above its
                reservation, since it is spent; None when unknown (timeout, cut stream): all stays booked.

        Raises:
            ValueError: a negative or non-finite cost.
            RuntimeError: settled before; booking one call twice would be a programmer's error.
        """
        booked_usd = self.amount_usd if cost_usd is None else cost_usd
        _check_amount(booked_usd, "a cost")
        with self._accounts[0].lock:
            if self._settled:
                raise RuntimeError("this reservation is already settled")
            self._settled = True
            for account in self._accounts:
                account.reserved_usd -= self.amount_usd
                account.settled_usd += booked_usd

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.settled:
            self.settle(None)


def _check_amount(amount_usd: Decimal, what: str) -> None:
    if not isinstance(amount_usd, Decimal):
        raise TypeError(f"{what} must be a Decimal, never a float: {amount_usd!r}")
    if not amount_usd.is_finite() or amount_usd < 0:
        raise ValueError(f"{what} must be a finite amount >= 0: {amount_usd}")
