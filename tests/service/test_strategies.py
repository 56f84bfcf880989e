"""Every shipped strategy behind the service, on the wire, with the faults that make its policy act."""

from pathlib import Path
from typing import Any

import pytest

from harness.bundle import bundled
from harness.emulator import EmulatorSettings, FaultRule, running_emulator
from tests.service.running import emulated_env, rows, service

BRIEF = {"brief": "Should we hire two engineers for 240,000 dollars or outsource the project to a vendor?"}
SONNET, GPT_4O, MINI = "claude-3-5-sonnet-20241022", "gpt-4o", "gpt-4o-mini"


def answer(name: str, store_dir: Path, *faults: FaultRule) -> tuple[dict[str, Any], list[Any]]:
    """The stored request and calls of one brief answered by a strategy under faults."""
    settings = EmulatorSettings(speed=200, defect_rate=0, faults=faults)
    with running_emulator(settings) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": name}
        with service(env, store_dir=store_dir) as client:
            response = client.post("/assist/draft-graph", json=BRIEF)
            assert response.status_code == 200, response.text
    (request,) = rows(store_dir, "SELECT * FROM requests")
    return request, rows(store_dir, "SELECT * FROM calls ORDER BY started_at, call_id")


@pytest.mark.parametrize(
    ("name", "model"), [("all-anthropic", SONNET), ("all-openai", MINI), ("hybrid", SONNET)]
)
def test_single_and_hybrid_draft_where_their_file_says(name: str, model: str, tmp_path: Path) -> None:
    request, (call,) = answer(name, tmp_path)
    assert (request["strategy"], request["draft_model"], call["model"]) == (name, model, model)
    assert request["cost_usd"] == call["cost_usd"] > 0


def test_fallback_pays_for_both_providers(tmp_path: Path) -> None:
    request, calls = answer("fallback", tmp_path, FaultRule(kind="refusal", model=SONNET))
    assert [(call["model"], call["error_kind"]) for call in calls] == [
        (SONNET, "content_filter"),
        (GPT_4O, None),
    ]
    assert (request["draft_source"], request["draft_model"]) == ("openai", GPT_4O)
    assert request["draft_cost_usd"] == sum(call["cost_usd"] for call in calls)


def test_cascade_escalates_where_the_cheap_draft_is_unreadable(tmp_path: Path) -> None:
    request, calls = answer("cascade", tmp_path, FaultRule(kind="malformed_json", model=MINI))
    assert [call["model"] for call in calls] == [MINI, SONNET]
    assert request["draft_model"] == SONNET
    assert request["draft_cost_usd"] == sum(call["cost_usd"] for call in calls)


def test_hedge_answers_while_the_first_is_stuck(tmp_path: Path) -> None:
    path = tmp_path / "quick-hedge.yaml"
    text = bundled("scenarios", "strategies", "hedge.yaml").read_text()
    path.write_text(text.replace("name: hedge", "name: quick-hedge").replace("6000", "50"))
    stuck = FaultRule(kind="slow_first_byte", model=SONNET, delay_ms=20_000)
    request, calls = answer(str(path), tmp_path / "store", stuck)
    assert {(call["model"], call["error_kind"]) for call in calls} == {(SONNET, "cancelled"), (GPT_4O, None)}
    assert (request["strategy"], request["draft_model"]) == ("quick-hedge", GPT_4O)
    assert request["server_ms"] < 15_000
    assert request["cost_usd"] is None  # what the cancelled call was billed, nobody told
    assert request["unpriced"] is True


def test_a_request_is_routed_by_its_tags(tmp_path: Path) -> None:
    path = tmp_path / "by-plan.yaml"
    text = bundled("scenarios", "strategies", "routed.yaml").read_text()
    path.write_text(text.replace("share: 0.1", "share: 0.000001"))
    with running_emulator(EmulatorSettings(speed=200, defect_rate=0)) as emulator:
        env = {**emulated_env(emulator), "LLM_STRATEGY": str(path)}
        with service(env, store_dir=tmp_path / "store") as client:
            for tags in ("plan=enterprise, region=eu", "plan=free", ""):
                headers = {"x-request-tags": tags}
                assert client.post("/assist/draft-graph", json=BRIEF, headers=headers).status_code == 200
            for wrong in ("plan", "=free", "plan=a,plan=b", ",".join(f"t{n}=1" for n in range(21)), "p=a;b"):
                refused = client.post("/assist/draft-graph", json=BRIEF, headers={"x-request-tags": wrong})
                assert refused.status_code == 400, wrong
                assert "X-Request-Tags" in refused.json()["message"]
    found = rows(tmp_path / "store", "SELECT draft_model FROM requests ORDER BY started_at")
    assert [row["draft_model"] for row in found] == [SONNET, MINI, MINI]
