"""`harness strategies compare` and `frontier` from the outside, on a real store."""

import json

import pytest

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
