import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.providers.fixture_answers import draft_answer, figures_in, options_answer, options_in
from harness.providers.fixtures import FixturesAdapter, smallest_instance
from harness.records import NO_USAGE, Prompt, Role
from harness.tasks.briefs import load_cases
from harness.tasks.registry import get_task

BRIEF = (
    "We must cut churn by 15% in 6 months. Choose between a loyalty programme, a price cut or better support."
)


def ask(user: str, **more: object) -> Prompt:
    return Prompt(role=Role.DRAFT, system="Answer.", user=user, **more)


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_any_brief_gets_a_graph_that_keeps_every_rule(brief: str) -> None:
    answer = draft_answer(brief)
    nodes, edges = answer["graph"]["nodes"], answer["graph"]["edges"]
    ids = [node["id"] for node in nodes]
    assert len(nodes) <= 12
    assert len(edges) <= 24
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert [(e["from"], e["to"], e["id"]) for e in edges] == sorted(
        (e["from"], e["to"], e["id"]) for e in edges
    )
    assert {e["from"] for e in edges} | {e["to"] for e in edges} == set(ids)
    order = ["goal", "decision", "option", "outcome"]
    kinds = {node["id"]: order.index(node["kind"]) for node in nodes}
    assert all(kinds[e["from"]] < kinds[e["to"]] for e in edges), "every edge goes forward: no cycle"
    assert all(e["id"].rsplit("::", 1)[0] == f"{e['from']}::{e['to']}" for e in edges)
    assert all(0 <= e["belief"] <= 1 and len(e["provenance"]["quote"]) <= 100 for e in edges)
    assert all(len(node["body"]) <= 200 for node in nodes)
    assert all(len(r["why"]) <= 280 and r["target"] in ids for r in answer["rationales"])


def test_the_options_and_figures_of_the_brief_are_in_the_graph() -> None:
    assert options_in(BRIEF) == ["a loyalty programme", "a price cut", "better support"]
    assert figures_in(BRIEF) == ["15%", "6 months"]
    text = json.dumps(draft_answer(BRIEF))
    assert all(
        part in text for part in ("loyalty programme", "price cut", "better support", "15%", "6 months")
    )


def test_suggested_options_are_distinct_and_complete() -> None:
    options = options_answer("Grow in Spain", "No new hires")["options"]
    assert 3 <= len({option["title"] for option in options}) <= 5
    for option in options:
        assert all(2 <= len(option[part]) <= 3 for part in ("pros", "cons", "evidence_to_gather"))


async def test_the_same_question_gets_the_same_answer_and_bills_nothing() -> None:
    adapter = FixturesAdapter()
    question = ask(f"<brief>{BRIEF}</brief>\n<graph>{{}}</graph>\n<violations>too many</violations>")
    first = await adapter.generate(question, call_id="c1", timeout_s=1)
    second = await adapter.generate(question, call_id="c2", timeout_s=1)
    assert first.text == second.text
    assert first.usage == NO_USAGE
    assert (adapter.name, adapter.model, adapter.local) == ("fixtures", "fixture-v1", True)
    assert json.loads(first.text)["graph"]["nodes"]


async def test_a_task_the_fixtures_never_met_gets_the_smallest_instance_of_its_schema() -> None:
    schema = {
        "type": "object",
        "required": ["score", "why", "tags"],
        "properties": {
            "score": {"type": "number", "minimum": 0.5},
            "why": {"type": "string", "maxLength": 3},
            "tags": {"type": "array", "minItems": 2, "items": {"enum": ["a", "b"]}},
            "unused": {"type": "null"},
        },
    }
    answer = await FixturesAdapter().generate(ask("Judge.", output_schema=schema), call_id="c", timeout_s=1)
    assert json.loads(answer.text) == {"score": 0.5, "why": "fix", "tags": ["a", "a"]}
    assert smallest_instance({"anyOf": [{"type": "boolean"}, {"type": "null"}]}) is False


@pytest.mark.parametrize(("task_name", "file"), [("draft_graph", "golden"), ("suggest_options", "suggest")])
async def test_every_golden_case_is_answered_without_breaking_a_rule(task_name: str, file: str) -> None:
    task = get_task(task_name)
    cases = load_cases(Path(__file__).parents[2] / "scenarios" / "briefs" / f"{file}.jsonl")
    for case in cases:
        prompt = task.draft_prompt(task.parse_input(case.body))
        answer = await FixturesAdapter().generate(prompt, call_id="c", timeout_s=1)
        assert not task.validate(task.parse(answer.text)), case.case_id
