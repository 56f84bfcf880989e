"""`harness strategies compare` and `frontier` from the outside, on a real store."""

import json
import random
from pathlib import Path

import pytest

from harness.orchestration import load_strategy, resolve_routing
from tests.dashboard.stores import full_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return full_store(tmp_path_factory.mktemp("strategies") / "store")


def test_the_frontier_of_an_evaluation(cli, store):
    code, output, _ = cli("strategies", "frontier", "run-e", "--store", store, "--json")
    found = json.loads(output)
    assert code == 0
    assert found["provider_mode"] == "emulated"
    assert {own["name"] for own in found["strategies"]} == {"all-anthropic", "all-openai", "hybrid"}
    assert any(own["on_frontier"] for own in found["strategies"])
    assert all(own["cases"] == 20 and own["cost_per_request_usd"]["n"] == 60 for own in found["strategies"])


def test_limits_and_the_latest_run_are_the_defaults(cli, store):
    _, text, _ = cli("strategies", "frontier", "--store", store)
    assert "EMULATED" in text
    assert "p95 <= 8 s and >= 90% high tier" in text
    _, text, _ = cli("strategies", "frontier", "--min-high-tier", "0.5", "--max-p95", "9s", "--store", store)
    assert "all-openai is the cheapest with p95 <= 9 s and >= 50% high tier" in text
    _, text, _ = cli("strategies", "frontier", "--case", "case-00*", "--store", store)
    assert "cases case-00*" in text


def test_runs_of_several_modes_are_judged_within_the_live_one(cli, store):
    _, output, _ = cli("strategies", "frontier", "run-a", "run-p", "--store", store, "--json")
    found = json.loads(output)
    assert found["provider_mode"] == "live"
    assert [own["run_id"] for own in found["strategies"]] == ["run-p"]
    assert found["left_out"][0]["reason"] == "emulated providers, not live ones"
    _, text, _ = cli("strategies", "frontier", "run-a", "run-p", "--store", store)
    assert "left out: baseline-a" in text


def test_strategies_are_compared_with_the_one_asked_for(cli, store):
    code, output, _ = cli("strategies", "compare", "run-e", "--against", "hybrid", "--store", store, "--json")
    found = json.loads(output)
    assert code == 0
    assert found["first"]["name"] == "hybrid"
    assert [other["name"] for other in found["others"]] == ["all-anthropic", "all-openai"]
    assert found["differences_tested"] == 12
    cost = found["others"][1]["differences"][0]
    assert (cost["name"], cost["verdict"], cost["paired"]) == ("cost_per_request", "better", True)
    assert cost["high"] < 0
    assert cost["decided_at"] >= 0.95
    _, text, _ = cli("strategies", "compare", "run-e", "--store", store)
    assert "paired over 20 cases" in text
    assert "verdicts hold together at 95% (Holm)" in text


def test_two_runs_are_compared_as_strategies(cli, store):
    code, output, _ = cli("strategies", "compare", "run-a", "run-b", "--store", store, "--json")
    found = json.loads(output)
    assert code == 0
    assert found["first"]["run_id"] == "run-a"
    p95 = next(d for d in found["others"][0]["differences"] if d["name"] == "p95_latency")
    assert p95["difference"] > 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare", "run-a"], "only one strategy to look at"),
        (["compare", "run-a", "run-p"], "emulated providers, not live ones"),
        (["compare", "run-e", "--against", "x"], "--against 'x': not among the strategies"),
        (["compare", "run-e", "--strategy", "x"], "--strategy 'x': no request of that strategy"),
        (["compare", "run-e", "--case", "x"], "no counted request of these cases"),
        (["compare", "run-e", "--confidence", "95"], "--confidence must be between"),
        (["compare", "nothing"], "no run 'nothing'"),
        (["frontier", "--max-p95", "fast"], "fast"),
    ],
)
def test_a_question_without_an_answer_is_exit_2(cli, store, arguments, sentence):
    code, output, error = cli("strategies", *arguments, "--store", store)
    assert code == 2
    assert output == ""
    assert sentence in error
    assert error.count("\n") == 1


@pytest.fixture(scope="module")
def routable(tmp_path_factory):
    """An imported table in which the weak model fails on long questions; and the questions."""
    folder = tmp_path_factory.mktemp("learn")
    rng = random.Random(8)
    rows, texts = ["item,model,score,input_tokens,output_tokens"], []
    for n in range(240):
        long = n % 2 == 1
        texts.append(
            {"case_id": f"q-{n}", "text": "word " * (80 if long else 6), "plan": "free", "e": [n, 1]}
        )
        for model, chance in (("gpt-4o-mini", 0.1 if long else 0.9), ("gpt-4o", 0.9)):
            rows.append(f"q-{n},openai/{model},{int(rng.random() < chance)},100,100")
    (folder / "outcomes.csv").write_text("\n".join(rows))
    (folder / "texts.jsonl").write_text("\n".join(json.dumps(row) for row in texts))
    return folder


def test_a_router_is_learnt_judged_and_written_as_a_strategy_that_runs(cli, routable, tmp_path):
    pytest.importorskip("sklearn")
    store = tmp_path / "store"
    assert cli("strategies", "import", routable / "outcomes.csv", "--store", store)[0] == 0
    asked = ("strategies", "learn", "--features", routable / "texts.jsonl", "--store", store)
    code, output, problem = cli(*asked, "--tag", "plan", "--write", "router.yaml", "--json")
    found = json.loads(output)
    assert code == 0, problem
    assert found["recommended"] is True
    assert found["cases_judged_on"] == found["cases_trained_on"] == 120
    assert "not trained on" in found["sentence"]
    routing = resolve_routing({"OPENAI_API_KEY": "o"})
    strategy = load_strategy(Path("router.yaml"), routing)
    models = {strategy.of_request("r", text, {"plan": "free"}).draft.model for text in ("word " * 80, "word")}
    assert models == {"gpt-4o", "gpt-4o-mini"}
    _, text, _ = cli(*asked)
    assert "Take the router between gpt-4o-mini or gpt-4o" in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "--suite or --features"),
        (("--suite", "golden"), "case ids must be those of the runs"),
        (("--suite", "golden", "--column", "e"), "--column needs --features"),
        (("--text", "body"), "no text in column 'body'"),
        (("--column", "plan"), "holds no number"),
        (("--weak", "gpt-5"), "'gpt-5': not among the models"),
        (("--weak", "gpt-4o"), "is the cheapest and the best"),
        (("--column", "e", "--write", "x.yaml"), "does not know the columns"),
    ],
)
def test_a_wrong_question_to_learn_is_one_sentence(cli, routable, tmp_path, arguments, problem):
    pytest.importorskip("sklearn")
    store = tmp_path / "store"
    cli("strategies", "import", routable / "outcomes.csv", "--store", store)
    known = () if not arguments or arguments[0] == "--suite" else ("--features", routable / "texts.jsonl")
    code, _, said = cli("strategies", "learn", *known, *arguments, "--store", store)
    assert code == 2
    assert problem in said
    assert not Path("x.yaml").exists()
