"""A budget is never exceeded, whatever runs at once, is cut, retried or cancelled."""

import asyncio
import random
import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CostGuardError
from harness.pricing import Budget, PriceBook
from harness.records import Usage

AT = datetime(2026, 11, 1, tzinfo=UTC)
BOOK = PriceBook.load()
MODELS = [("anthropic", "claude-3-5-sonnet-20241022", 400), ("openai", "gpt-4o-mini", 2_000)]
cents = st.integers(0, 30).map(lambda n: Decimal(n) / 100)


def test_a_reservation_is_booked_with_every_parent_or_nowhere():
    run = Budget("run", Decimal(1))
    first, second = (Budget("request", Decimal("0.8"), parent=run) for _ in range(2))
    kept = first.reserve(Decimal("0.7"))
    with pytest.raises(CostGuardError, match=r"\$0\.3 of the run budget of \$1 is left") as caught:
        second.reserve(Decimal("0.5"))
    assert (caught.value.budget, second.committed_usd, run.committed_usd) == ("run", 0, Decimal("0.7"))
    kept.settle(Decimal("0.1"))
    second.reserve(Decimal("0.8"))
    assert (run.committed_usd, run.settled_usd, run.reserved_usd) == (
        Decimal("0.9"),
        Decimal("0.1"),
        Decimal("0.8"),
    )
    assert first.remaining_usd == Decimal("0.7")


def test_exactly_the_limit_fits_and_nothing_more():
    budget = Budget("request", Decimal("0.1"))
    budget.reserve(Decimal("0.1"))
    with pytest.raises(CostGuardError):
        budget.reserve(Decimal("0.0000000001"))
    budget.reserve(Decimal(0))


def test_unknown_usage_keeps_the_reservation_and_free_calls_give_it_back():
    budget = Budget("request", Decimal(1))
    budget.reserve(Decimal("0.4")).settle(None)
    budget.reserve(Decimal("0.4")).settle(Decimal(0))
    assert (budget.settled_usd, budget.reserved_usd) == (Decimal("0.4"), 0)


def test_a_cancelled_call_settles_at_its_reservation():
    budget = Budget("request", Decimal(1))
    with pytest.raises(KeyboardInterrupt), budget.reserve(Decimal("0.4")):
        raise KeyboardInterrupt
    with budget.reserve(Decimal("0.5")) as reservation:
        reservation.settle(Decimal("0.1"))
    assert (budget.settled_usd, budget.reserved_usd) == (Decimal("0.5"), 0)


def test_a_reservation_settles_once():
    reservation = Budget("request", None).reserve(Decimal(1))
    reservation.settle(Decimal("0.5"))
    with pytest.raises(RuntimeError):
        reservation.settle(None)


def test_a_cost_above_its_reservation_is_booked_in_full_and_stops_the_rest():
    budget = Budget("request", Decimal(1))
    budget.reserve(Decimal("0.5")).settle(Decimal("1.5"))
    assert budget.remaining_usd == Decimal("-0.5")
    with pytest.raises(CostGuardError):
        budget.reserve(Decimal(0))


def test_earlier_spending_counts():
    run = Budget("evaluation", Decimal(1))
    Budget("request", None, parent=run).spend(Decimal("0.9"))
    with pytest.raises(CostGuardError, match="evaluation"):
        run.reserve(Decimal("0.2"))


@pytest.mark.parametrize("bad", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_amounts_are_finite_and_not_negative(bad):
    budget = Budget("request", Decimal(1))
    with pytest.raises(ValueError):
        Budget("request", bad)
    with pytest.raises(ValueError):
        budget.reserve(bad)
    with pytest.raises(ValueError):
        budget.spend(bad)
    reservation = budget.reserve(Decimal("0.5"))
    with pytest.raises(ValueError):
        reservation.settle(bad)
    reservation.settle(None)
    with pytest.raises(TypeError):
        budget.reserve(0.1)


@given(
    st.lists(st.tuples(st.integers(0, 2), cents, st.none() | st.integers(0, 100)), max_size=60), st.randoms()
)
def test_no_sequence_of_reserving_and_settling_exceeds_any_limit(steps, rng):
    root = Budget("run", Decimal("1.00"))
    middle = Budget("evaluation", Decimal("0.60"), parent=root)
    budgets = [root, middle, Budget("request", Decimal("0.50"), parent=middle)]
    in_flight = []
    for which, amount, percent in steps:
        line = budgets[: which + 1]
        if all(b.committed_usd + amount <= b.limit_usd for b in line):
            in_flight.append((budgets[which].reserve(amount), percent))
        else:
            with pytest.raises(CostGuardError):
                budgets[which].reserve(amount)
        if in_flight and rng.random() < 0.5:
            reservation, share = in_flight.pop(rng.randrange(len(in_flight)))
            reservation.settle(None if share is None else reservation.amount_usd * share / 100)
        assert all(b.committed_usd <= b.limit_usd for b in budgets)
    for reservation, _ in in_flight:
        reservation.settle(None)
    assert all(b.reserved_usd == 0 and b.settled_usd <= b.limit_usd for b in budgets)


def attempts(rng):
    """The course of one simulated request: a draft and a repair, each up to three attempts."""
    for provider, model, max_tokens in MODELS:
        for _ in range(3):
            prompt_bytes = rng.randrange(200, 3_000)
            worst = BOOK.worst_case_usd(
                provider, model, prompt_bytes=prompt_bytes, max_tokens=max_tokens, at=AT
            )
            usage = Usage(
                input_tokens=rng.randrange(prompt_bytes // 5, prompt_bytes),
                output_tokens=rng.randrange(max_tokens),
            )
            cost = BOOK.price(provider, model, usage, at=AT).cost_usd
            fate = rng.choice(["ok", "cut", "billed_error", "refused"])
            yield worst, {"ok": cost, "cut": None, "billed_error": cost, "refused": Decimal(0)}[fate]
            if fate == "ok":
                break


class Spent:
    """What the simulated provider really charged, counted apart from the budget."""

    def __init__(self):
        self.usd = Decimal(0)
        self.refusals = 0
        self.lock = threading.Lock()

    def add(self, worst, cost, rng):
        with self.lock:  # a cut stream is charged something the client never learns
            self.usd += cost if cost is not None else worst * rng.randrange(0, 101) / 100

    def refuse(self):
        with self.lock:
            self.refusals += 1


def check(run, spent):
    assert run.reserved_usd == 0
    assert spent.usd <= run.settled_usd <= run.limit_usd
    assert spent.refusals > 0  # the budget was really contended
    assert run.settled_usd > run.limit_usd / 2  # and really used


def test_200_threads_never_spend_more_than_the_run_budget():
    run, spent = Budget("run", Decimal("0.10")), Spent()
    start = threading.Barrier(200)

    def request(seed):
        rng = random.Random(seed)
        own = Budget("request", Decimal("0.05"), parent=run)
        start.wait()
        for worst, cost in attempts(rng):
            try:
                reservation = own.reserve(worst)
            except CostGuardError:
                spent.refuse()
                return
            spent.add(worst, cost, rng)
            assert run.committed_usd <= run.limit_usd
            reservation.settle(cost)

    threads = [threading.Thread(target=request, args=(seed,)) for seed in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(run, spent)


async def test_200_tasks_with_cut_streams_retries_and_cancellation_stay_within_the_run_budget():
    run, spent = Budget("run", Decimal("0.10")), Spent()

    async def request(seed):
        rng = random.Random(seed)
        own = Budget("request", Decimal("0.05"), parent=run)
        for worst, cost in attempts(rng):
            try:
                with own.reserve(worst) as reservation:
                    spent.add(worst, cost, rng)
                    for _ in range(rng.randrange(5)):
                        await asyncio.sleep(0)
                        assert run.committed_usd <= run.limit_usd
                    if cost is not None:  # a stream cut in the middle is settled by nobody
                        reservation.settle(cost)
            except CostGuardError:
                spent.refuse()
                return

    tasks = [asyncio.create_task(request(seed)) for seed in range(200)]
    await asyncio.sleep(0)
    for task in tasks[::10]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert not [r for r in results if isinstance(r, Exception)]
    check(run, spent)
