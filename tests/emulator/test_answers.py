"""What the emulated models say: graphs within the rules, one rule broken when drawn so, repairs that mend."""

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.emulator.answers import Behaviour, Question, respond
from harness.emulator.answers.brief import read_brief
from harness.emulator.answers.defects import DEFECTS
from harness.emulator.answers.mend import mended
from harness.emulator.draws import Draws

PERFECT = Behaviour(quality=1.0, defect_rate=0.0, repair_success=1.0)
GOLDEN = Path(__file__).parents[2] / "scenarios" / "briefs" / "golden.jsonl"
BRIEFS = [json.loads(line)["brief"] for line in GOLDEN.read_text().splitlines()]


def drawn(occurrence: int = 1) -> Draws:
    return Draws(seed=11, model="m", digest=b"body", occurrence=occurrence)


def draft(brief: str, behaviour: Behaviour = PERFECT, occurrence: int = 1) -> dict:
    question = Question(system="Draft.", user=f"<brief>{brief}</brief>", bare_json=True)
    return orjson.loads(respond(question, behaviour, drawn(occurrence)).text)


def broken_rules(graph: dict) -> set[str]:
    """The emulator's own reading of the rules, apart from the harness's."""
    ids = [node["id"] for node in graph["nodes"]]
    ends = [(edge["from"], edge["to"]) for edge in graph["edges"]]
    touched = {end for pair in ends for end in pair if pair[0] != pair[1] and set(pair) <= set(ids)}
    open_ends, order = dict.fromkeys(ids, 0), []
    for source, target in ends:
        if source in open_ends and target in open_ends:
            open_ends[target] += 1
    ready = [node_id for node_id, count in open_ends.items() if count == 0]
    while ready:
        here = ready.pop()
        order.append(here)
        for source, target in ends:
            if source == here and target in open_ends:
                open_ends[target] -= 1
                if open_ends[target] == 0:
                    ready.append(target)
    checks = {
        "nodes": len(ids) > 12 or len(set(ids)) < len(ids),
        "edges": len(ends) > 24,
        "dangling": any(not set(pair) <= set(ids) for pair in ends),
        "cycle": len(order) < len(ids),
        "isolated": bool(set(ids) - touched),
        "body": any(len(node.get("body", "")) > 200 for node in graph["nodes"]),
    }
    return {name for name, found in checks.items() if found}


@pytest.mark.parametrize("brief", BRIEFS, ids=range(len(BRIEFS)))
def test_a_draft_of_each_golden_brief_is_within_the_rules_and_repairs_any_defect(brief):
    graph = draft(brief)["graph"]
    assert not broken_rules(graph)
    kinds = [node["kind"] for node in graph["nodes"]]
    assert {"goal", "decision", "option", "outcome"} <= set(kinds)
    assert kinds.count("option") >= 2
    for name, defect in DEFECTS.items():
        spoilt = orjson.loads(orjson.dumps(graph))
        defect(spoilt, drawn().stream(name))
        assert broken_rules(spoilt), name
        assert not broken_rules(mended(spoilt)), name


@settings(max_examples=150)
@given(st.text(max_size=600))
def test_any_text_makes_a_graph_within_the_rules(brief):
    assert not broken_rules(draft(brief.replace("<", ""))["graph"])


def test_a_better_model_covers_more_of_the_brief():
    def covered(quality: float) -> int:
        behaviour = Behaviour(quality=quality, defect_rate=0, repair_success=1)
        return sum(
            figure in orjson.dumps(draft(brief, behaviour, n)["graph"]["nodes"]).decode()
            for brief in BRIEFS[:30]
            for figure in read_brief(brief).figures
            for n in (1, 2)
        )

    low, middle, high = covered(0.6), covered(0.8), covered(1.0)
    assert low < middle < high


def test_defects_come_at_their_rate():
    behaviour = Behaviour(quality=1, defect_rate=0.2, repair_success=1)
    question = Question(system="", user=f"<brief>{BRIEFS[0]}</brief>", bare_json=True)
    defects = [respond(question, behaviour, drawn(n)).defect for n in range(1500)]
    assert 240 < sum(defect is not None for defect in defects) < 360
    assert set(defects) == {None, *DEFECTS}


def repair(user: str, behaviour: Behaviour = PERFECT):
    return respond(Question(system="Repair.", user=user, bare_json=True), behaviour, drawn())


@pytest.mark.parametrize("form", ["<graph>{}</graph><violations>CYCLE</violations>", "Mend this: {} please"])
def test_a_repair_prompt_is_known_whatever_its_wording(form):
    graph = draft(BRIEFS[0])["graph"]
    DEFECTS["cycle"](graph, drawn().stream("x"))
    answer = repair(form.replace("{}", orjson.dumps(graph).decode()))
    assert answer.kind == "repair"
    assert not broken_rules(orjson.loads(answer.text)["graph"])


def test_a_repair_can_fail():
    graph = draft(BRIEFS[0])["graph"]
    DEFECTS["cycle"](graph, drawn().stream("x"))
    hopeless = Behaviour(quality=1, defect_rate=0, repair_success=0)
    answer = repair(f"<graph>{orjson.dumps(graph).decode()}</graph>", hopeless)
    assert answer.defect == "unrepaired"
    assert broken_rules(orjson.loads(answer.text)["graph"]) == {"cycle"}


def test_options_are_suggested_for_a_goal():
    user = "<goal>Cut churn to 5%</goal><constraints>At most $20,000</constraints>"
    options = orjson.loads(repair(user).text)["options"]
    assert 3 <= len(options) <= 5
    assert len({option["title"] for option in options}) == len(options)
    assert all(2 <= len(o[part]) <= 3 for o in options for part in ("pros", "cons", "evidence_to_gather"))


def test_a_judge_scores_coverage_and_prefers_the_fuller_answer():
    schema = {"type": "object", "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 10}}}
    full, bare = "<answer>$40,000 and 15%</answer>", "<answer>something</answer>"

    def score(answer: str) -> int:
        user = f"<brief>$40,000 at 15%</brief>{answer}"
        text = respond(Question(system="", user=user, schema=schema, bare_json=True), PERFECT, drawn()).text
        return orjson.loads(text)["score"]

    assert 1 <= score(bare) < score(full) <= 10
    pair = "<brief>$40,000 at 15%</brief><answer_a>nothing</answer_a><answer_b>$40,000, 15%</answer_b>"
    choice = {"type": "object", "properties": {"winner": {"enum": ["A", "B", "tie"]}}}
    text = respond(Question(system="", user=pair, schema=choice, bare_json=True), PERFECT, drawn()).text
    assert orjson.loads(text)["winner"] == "B"


def test_an_unknown_schema_gets_a_fitting_object():
    schema = {
        "type": "object",
        "properties": {
            "kind": {"enum": ["x", "y"]},
            "rows": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/row"}},
            "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "share": {"type": "number", "minimum": 0.2, "maximum": 0.4},
        },
        "required": ["kind", "rows", "maybe", "share"],
        "$defs": {"row": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
    }
    value = orjson.loads(
        respond(Question(system="", user="Fill", schema=schema, bare_json=True), PERFECT, drawn()).text
    )
    assert value["kind"] in ("x", "y")
    assert len(value["rows"]) == 2
    assert all(isinstance(row["n"], int) for row in value["rows"])
    assert value["maybe"] is None or isinstance(value["maybe"], str)
    assert 0.2 <= value["share"] <= 0.4
