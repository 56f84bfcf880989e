"""The spec's worked saving examples, out of recorded runs with those token counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from harness.cli.app import main
from harness.pricing import PriceBook
from harness.records import (
    Call,
    CallOutcome,
    ProviderMode,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
    RunStatus,
    UnpricedReason,
    Usage,
    load_json_exact,
)
from harness.report.savings_document import saving_verdict, savings_document
from harness.store import Spool
from harness.strategies.savings import savings_report
from tests.strategies.recorded import run_of, sides

AT = datetime(2026, 11, 1, tzinfo=UTC)
SONNET = ("anthropic", "claude-3-5-sonnet-20241022")
MINI = ("openai", "gpt-4o-mini")
BOOK = PriceBook.load()
CASES = 12

EXAMPLES = {
    # name: draft, its tokens, repair, its tokens -> total, naive, all-draft-provider, saving, misstatement
    "sonnet": (SONNET, (2000, 1200), None, None, "0.024", "0.024", None, None, 0.0),
    "mini": (MINI, (2000, 1200), None, None, "0.00102", "0.00102", None, None, 0.0),
    "hybrid": (SONNET, (2000, 1500), MINI, (800, 400), "0.02886", "0.0369", "0.0369", 0.218, 0.279),
    "short": (SONNET, (2000, 1200), MINI, (800, 400), "0.02436", "0.0324", "0.0324", 0.248, 0.330),
    "cheap": (MINI, (2000, 1200), SONNET, (500, 300), "0.00702", "0.001275", "0.001275", -4.506, -0.818),
}


def recorded(name, draft, draft_tokens, repair, repair_tokens, *, strategy=None, cases=CASES):
    rows, calls = [], []
    for number in range(cases):
        request_id = f"{name}-{strategy}-{number}"
        rows.append(
            Request(
                run_id=name,
                request_id=request_id,
                status=RequestStatus.OK,
                started_at=AT,
                case_id=f"case-{number}",
                strategy=strategy,
            )
        )
        calls.append(call(name, request_id, Role.DRAFT, draft, draft_tokens))
        if repair is not None:
            calls.append(call(name, request_id, Role.REPAIR, repair, repair_tokens))
    return rows, calls


def call(run_id, request_id, role, ref, tokens, **changes):
    priced = BOOK.price(*ref, Usage(input_tokens=tokens[0], output_tokens=tokens[1]), at=AT)
    fields = {
        "input_tokens": tokens[0],
        "output_tokens": tokens[1],
        "cost_usd": priced.cost_usd,
        "price_source": priced.price_source,
        "price_version": priced.price_version,
    }
    return Call(
        run_id=run_id,
        request_id=request_id,
        call_id=f"{request_id}-{role}",
        role=role,
        attempt=1,
        provider=ref[0],
        model=ref[1],
        started_at=AT + timedelta(seconds=1),
        latency_ms=1.0,
        outcome=CallOutcome.OK,
        **(fields | changes),
    )


def run_row(name, **changes):
    return Run(run_id=name, kind=RunKind.EVAL, name=name, started_at=AT, **changes)


@pytest.fixture
def store(tmp_path):
    """The five examples as runs of their own; `all` is what the hybrid would be at one provider."""
    records = []
    for name, (draft, used, repair, mended, *_) in {
        **EXAMPLES,
        "all": (SONNET, (2000, 1500), SONNET, (800, 400)),
    }.items():
        rows, calls = recorded(name, draft, used, repair, mended)
        records += [run_row(name), *rows, *calls]
    with Spool.open(tmp_path) as spool:
        spool.append_many(records).result(30)
    return tmp_path


def savings_json(monkeypatch, capfdbinary, *args):
    monkeypatch.setattr("sys.argv", ["harness", "savings", *map(str, args), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    return load_json_exact(capfdbinary.readouterr().out)


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_examples_come_out_of_recorded_runs(monkeypatch, capfdbinary, store, name):
    *_, total, naive, single, saving, misstatement = EXAMPLES[name]
    side = savings_json(monkeypatch, capfdbinary, name, "--store", store)["sides"][0]
    exact = side["exact"]
    assert Decimal(exact["cost_usd"]) == CASES * Decimal(total)
    assert Decimal(exact["naive_cost_usd"]) == CASES * Decimal(naive)
    assert float(exact["misstatement_ratio"]) == pytest.approx(misstatement, abs=6e-4)
    if single is not None:
        assert Decimal(exact["single_provider_cost_usd"]) == CASES * Decimal(single)
        assert float(exact["saving_ratio"]) == pytest.approx(saving, abs=6e-4)
    assert float(side["total"]["per_request_usd"]["value"]) == pytest.approx(float(total))
    assert side["total"]["per_request_usd"]["n"] == CASES


def test_a_measured_saving_between_runs_is_paired_by_case_and_projected(monkeypatch, capfdbinary, store):
    found = savings_json(monkeypatch, capfdbinary, "all", "hybrid", "--per-month", 100_000, "--store", store)[
        "savings"
    ][0]
    assert found["paired"]
    assert found["verdict"] == "cheaper"
    assert float(found["saving_ratio"]["value"]) == pytest.approx(0.2179, abs=1e-4)
    assert float(found["total"]["per_request_usd"]["value"]) == pytest.approx(0.00804)
    assert float(found["total"]["per_1000_usd"]["value"]) == pytest.approx(8.04)
    assert float(found["total"]["per_month_usd"]["value"]) == pytest.approx(804)
    assert float(found["draft"]["per_request_usd"]["value"]) == pytest.approx(0)
    assert float(found["repair"]["per_request_usd"]["value"]) == pytest.approx(0.00804)


def test_the_what_if_cell_of_one_provider_equals_its_measured_run(monkeypatch, capfdbinary, store):
    side = savings_json(monkeypatch, capfdbinary, "hybrid", "--store", store)["sides"][0]
    cells = {(c["draft"]["model"], c["repair"]["model"]): c for c in side["what_if"]["cells"]}
    assert len(cells) == 4
    assert "same recorded tokens" in side["what_if"]["assumption"]
    same = cells[SONNET[1], SONNET[1]]
    assert float(same["cost_per_request_usd"]["value"]) == pytest.approx(0.0369)
    assert float(same["saving_ratio"]["value"]) == pytest.approx(1 - 0.0369 / 0.02886)
    assert float(cells[SONNET[1], MINI[1]]["saving_ratio"]["value"]) == pytest.approx(0)


def strategies(*chosen, **run):
    rows, calls = [], []
    for name, example, cases in chosen:
        draft, used, repair, mended, *_ = EXAMPLES[example]
        some, made = recorded("one", draft, used, repair, mended, strategy=name, cases=cases)
        rows, calls = rows + some, calls + made
    return sides(*run_of("one", config={"strategies": [s[0] for s in chosen]}, **run), *rows, *calls)


def test_the_strategies_of_one_run_are_never_mixed_and_keep_their_order():
    report = savings_report(strategies(("z-first", "sonnet", 12), ("a-second", "mini", 12)), BOOK)
    assert [side.side.strategy for side in report.sides] == ["z-first", "a-second"]
    assert report.savings[0].ratio.value == pytest.approx(1 - 0.00102 / 0.024)


def test_cases_that_only_one_side_has_are_left_out_and_counted():
    found = savings_report(strategies(("a", "sonnet", 20), ("b", "mini", 15)), BOOK).savings[0]
    assert found.paired
    assert (found.cases_left_out, found.total.per_request.n) == (5, 15)


def test_an_unknown_cost_is_left_out_and_counted_never_free():
    rows, calls = recorded("one", SONNET, (2000, 1200), None, None, strategy="a")
    unknown = {"cost_usd": None, "unpriced_reason": UnpricedReason.USAGE_UNKNOWN}
    calls[0] = call("one", rows[0].request_id, Role.DRAFT, SONNET, (2000, 1200), **unknown)
    figures = savings_report(sides(*run_of("one"), *rows, *calls), BOOK).sides[0]
    assert (figures.priced, figures.unpriced) == (11, 1)
    assert figures.total.per_request.value == pytest.approx(0.024)


def test_a_run_the_budget_cut_says_so_beside_its_figures():
    cut = strategies(("a", "sonnet", 12), ("b", "mini", 12), status=RunStatus.TRUNCATED)
    report = savings_report(cut, BOOK)
    document = savings_document(report)
    assert all("TRUNCATED" in side["caution"] for side in document["sides"])
    assert "TRUNCATED" in document["savings"][0]["warning"]
    assert saving_verdict(report.savings[0]) == "cheaper"


def test_a_role_that_several_models_play_in_one_request_is_not_priced_at_one_of_them():
    rows, calls = recorded("one", MINI, (2000, 1200), None, None, strategy="cascade")
    first = [call("one", row.request_id, Role.DRAFT, SONNET, (2000, 1200)) for row in rows[:3]]
    again = [replace(made, call_id=f"{made.call_id}-2") for made in first]
    figures = savings_report(sides(*run_of("one"), *rows, *calls, *again), BOOK).sides[0]
    assert figures.what_if == ()
    assert "several models for one draft" in figures.no_what_if
    assert figures.total.per_request.value == pytest.approx(0.00102 + 3 / 12 * 0.024)


def test_what_if_cells_are_clustered_by_case_and_exact():
    rows, calls = [], []
    for repeat in range(3):
        some, made = recorded("one", SONNET, (2000 + repeat, 1200), MINI, (800, 400), strategy=f"r{repeat}")
        rows, calls = rows + some, calls + made
    rows = [replace(row, strategy="s") for row in rows]
    figures = savings_report(sides(*run_of("one"), *rows, *calls), BOOK).sides[0]
    cells = {(cell.draft.model, cell.repair.model): cell for cell in figures.what_if}
    paid = cells[SONNET[1], MINI[1]]
    assert paid.saving.value == paid.saving.low == paid.saving.high == 0.0
    assert paid.cost_per_request.method == "cluster_t"
    assert paid.cost_per_request.n == 36
    assert (
        figures.breakdown.naive_cost_usd
        == sum(
            BOOK.cost_usd(*SONNET, Usage(input_tokens=2800 + repeat, output_tokens=1600), at=AT)
            for repeat in range(3)
        )
        * CASES
    )


def test_runs_of_other_providers_are_named_and_not_subtracted():
    live = recorded("live", SONNET, (2000, 1200), None, None, strategy="a")
    rows = [replace(row, provider_mode=ProviderMode.LIVE) for row in live[0]]
    other = recorded("emulated", MINI, (2000, 1200), None, None, strategy="a")
    found = savings_report(
        sides(
            *run_of("live", provider_mode=ProviderMode.LIVE),
            *rows,
            *live[1],
            *run_of("emulated"),
            *other[0],
            *other[1],
        ),
        BOOK,
    ).savings[0]
    assert found.refused == "A was answered by live providers, B by emulated ones"
    assert found.ratio.value is None
    assert saving_verdict(found) == "not comparable"
