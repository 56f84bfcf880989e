"""`harness cost`: every row of the worked table, cached tokens, texts, refusals."""

import json
from decimal import Decimal

import pytest

from harness.records import load_json_exact

SONNET = "anthropic/claude-3-5-sonnet-20241022"
MINI = "openai/gpt-4o-mini"


def test_the_hybrid_example_comes_out_to_the_digit(run_harness):
    code, text, _ = run_harness(
        "cost", "--draft", f"{SONNET}:2000/1500", "--repair", f"{MINI}:800/400", "--json"
    )
    assert code == 0
    for line in (
        '"draft_cost_usd": 0.0285,',
        '"repair_cost_usd": 0.00036,',
        '"cost_usd": 0.02886,',
        '"naive_cost_usd": 0.0369,',
        '"single_provider_cost_usd": 0.0369,',
        '"saving_ratio": 0.2178861789,',
        '"misstatement_ratio": 0.2785862786,',
        '"mixed_providers": true,',
    ):
        assert f"  {line}\n" in text


@pytest.mark.parametrize(
    ("draft", "repair", "cost", "naive", "single", "misstated_percent", "saved_percent"),
    [
        (f"{SONNET}:2000/1200", None, "0.024", "0.024", "0.024", "0.0", "0.0"),
        (f"{MINI}:2000/1200", None, "0.00102", "0.00102", "0.00102", "0.0", "0.0"),
        (f"{SONNET}:2000/1500", f"{MINI}:800/400", "0.02886", "0.0369", "0.0369", "27.9", "21.8"),
        (f"{SONNET}:2000/1200", f"{MINI}:800/400", "0.02436", "0.0324", "0.0324", "33.0", "24.8"),
        (f"{MINI}:2000/1200", f"{SONNET}:500/300", "0.00702", "0.001275", "0.001275", "-81.8", "-450.6"),
    ],
)
def test_every_row_of_the_worked_table(
    run_harness, draft, repair, cost, naive, single, misstated_percent, saved_percent
):
    repair_args = ["--repair", repair] if repair else []
    code, text, _ = run_harness("cost", "--draft", draft, *repair_args, "--json")
    figures = load_json_exact(text)
    assert code == 0
    assert str(figures["cost_usd"]) == cost
    assert str(figures["naive_cost_usd"]) == naive
    assert str(figures["single_provider_cost_usd"]) == single
    assert f"{figures['misstatement_ratio'] * 100:.1f}" == misstated_percent
    assert f"{figures['saving_ratio'] * 100:.1f}" == saved_percent
    assert figures["mixed_providers"] is (True if repair else None)
    if repair:
        assert figures["draft_cost_usd"] + figures["repair_cost_usd"] == figures["cost_usd"]


def test_mini_is_23_5_times_cheaper(run_harness):
    _, text, _ = run_harness("cost", "--draft", f"{MINI}:2000/1200", "--compare", SONNET, "--json")
    sonnet = load_json_exact(text)["alternatives"][1]
    assert (str(sonnet["cost_usd"]), f"{sonnet['cost_ratio']:.1f}") == ("0.024", "23.5")


def test_the_table_shows_the_arithmetic_and_the_month(run_harness):
    code, text, _ = run_harness(
        "cost", "--draft", f"{SONNET}:2000/1500", "--repair", f"{MINI}:800/400", "--per-month", 100_000
    )
    assert code == 0
    for shown in (
        "$0.0285",
        "$0.00036",
        "$0.02886",
        "+27.9%",
        "21.8%",
        "-1750.0%",
        "$2,886",
        "$3,690",
        "$804",
        "genai-prices",
    ):
        assert shown in text


def test_the_same_provider_for_both_is_not_mixed(run_harness):
    _, text, _ = run_harness("cost", "--draft", f"{MINI}:10/10", "--repair", "openai/gpt-4o:10/10", "--json")
    assert json.loads(text)["mixed_providers"] is False


def test_cached_tokens_are_a_part_of_the_input(run_harness):
    _, text, _ = run_harness(
        "cost", "--draft", "anthropic/claude-3-7-sonnet-20250219:12_307/550,write=12304", "--json"
    )
    assert '"cost_usd": 0.054399,' in text
    code, _, error = run_harness("cost", "--draft", "anthropic/claude-3-7-sonnet-20250219:3/550,write=12304")
    assert code == 2
    assert "cached tokens exceed the input total" in error


@pytest.mark.parametrize(
    "model", ["anthropic/claude-3-5-sonnet-typo", "openai/gpt-4o-minii", "nobody/m", "openai/omni-moderation"]
)
def test_an_unknown_or_misspelt_model_is_refused_in_one_sentence(run_harness, model):
    code, text, error = run_harness("cost", "--draft", f"{model}:10/10")
    assert (code, text, error.count("\n")) == (2, "", 1)
    assert "price" in error


def test_an_unpriced_call_goes_on_only_if_allowed_and_is_never_zero(run_harness):
    args = ("cost", "--draft", "nobody/m:10/10", "--repair", f"{MINI}:800/400", "--allow-unpriced")
    code, text, _ = run_harness(*args)
    assert code == 0
    assert "excludes 1 unpriced call" in text
    assert "unknown, not 0" in text
    figures = load_json_exact(run_harness(*args, "--json")[1])
    assert (figures["draft_cost_usd"], figures["cost_usd"], figures["naive_cost_usd"]) == (None, None, None)
    assert (figures["unpriced_calls"], figures["known_cost_usd"]) == (1, Decimal("0.00036"))
    assert (figures["saving_ratio"], figures["misstatement_ratio"]) == (None, None)


def test_a_total_of_unpriced_calls_alone_is_unknown(run_harness):
    args = ("cost", "--draft", "nobody/m:10/10", "--allow-unpriced")
    assert "$0" not in run_harness(*args)[1]
    assert load_json_exact(run_harness(*args, "--json")[1])["known_cost_usd"] is None


def test_a_text_stands_for_tokens_and_says_that_it_is_an_estimate(run_harness, tmp_path):
    text_file = tmp_path / "brief.txt"
    text_file.write_text("Should we open a second warehouse in 2027, or lease 4,000 square metres? " * 50)
    code, text, _ = run_harness("cost", "--draft", f"{MINI}:text/1200", "--text", text_file)
    assert code == 0
    assert "estimated" in text
    figures = json.loads(
        run_harness("cost", "--draft", f"{MINI}:text/1200", "--text", text_file, "--json")[1]
    )
    assert figures["input_tokens_estimated"] is True
    tokens = figures["draft"]["lines"][0]["tokens"]
    assert 700 < tokens < 1_200  # 13 words, 2 numbers and 3 marks, fifty times
    assert tokens < text_file.stat().st_size


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ((), "--draft"),
        (("--draft", "gpt-4o:1/1"), "provider/model"),
        (("--draft", "openai/gpt-4o"), "provider/model:in/out"),
        (("--draft", "openai/gpt-4o:1"), "provider/model:in/out"),
        (("--draft", "openai/gpt-4o:-1/1"), "not a token count"),
        (("--draft", "openai/gpt-4o:1.5/1"), "not a token count"),
        (("--draft", "openai/gpt-4o:٣/1"), "not a token count"),
        (("--draft", "openai/gpt-4o:1/1,raed=1"), "raed"),
        (("--draft", "openai/gpt-4o:5/1,read=1,read=1"), "repeated"),
        (("--draft", "openai/gpt-4o:text/1"), "--text"),
        (("--draft", "openai/gpt-4o:1/1", "--text", "/no/such"), "cannot be read"),
        (("--draft", "openai/gpt-4o:1/1", "--at", "soon"), "2026-03-13"),
        (("--draft", "openai/gpt-4o:1/1", "--at", "9999-12-31T23:59:59-14:00"), "2026-03-13"),
        (("--draft", "openai/gpt-4o:1/1", "--context", "bacth"), "bacth"),
        (("--draft", "openai/gpt-4o:1/1", "--compare", "openai/gpt-4oo"), "gpt-4oo"),
        (("--draft", "openai/gpt-4o:1/1", "--prices", "/no/such"), "/no/such"),
        (("--draft", "openai/gpt-4o:1/1", "--per-month", "0"), "--per-month"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(run_harness, args, problem):
    code, text, error = run_harness("cost", *args)
    assert (code, text) == (2, "")
    assert problem in error
    assert "Traceback" not in error


def test_prices_are_of_the_date_asked_for(run_harness):
    figures = [
        json.loads(run_harness("cost", "--draft", "openai/o3:1_000_000/0", "--at", day, "--json")[1])[
            "cost_usd"
        ]
        for day in ("2025-06-09", "2025-06-10T00:00:00+00:00")
    ]
    assert figures == [10, 2]


def test_a_model_name_is_never_read_as_markup(run_harness):
    code, text, _ = run_harness("cost", "--draft", "nobody/[/x]:1/1", "--allow-unpriced")
    assert (code, "nobody/[/x]" in text) == (0, True)


def test_the_largest_figures_still_come_out(run_harness):
    most = 999_999_999_999
    code, text, _ = run_harness(
        "cost",
        "--draft",
        f"openai/o1-pro:{most}/{most}",
        "--compare",
        "openai/text-embedding-3-small",
        "--json",
    )
    assert code == 2  # an embedding model has no output price to compare with
    code, text, _ = run_harness(
        "cost",
        "--draft",
        f"openai/o1-pro:{most}/{most}",
        "--compare",
        "openai/gpt-5-nano",
        "--per-month",
        10**9,
        "--json",
    )
    assert code == 0
    assert load_json_exact(text)["cost_usd"] == Decimal(150 + 600) * most / 1_000_000
