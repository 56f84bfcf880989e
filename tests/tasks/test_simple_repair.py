"""The deterministic repair: whatever comes in, what goes out validates, and little is lost."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BadOutputError
from harness.tasks.decisions.draft_graph import DraftGraphPayload
from harness.tasks.decisions.draft_graph.topology import topology
from harness.tasks.registry import get_task

TASK = get_task("draft_graph")

IDS = st.sampled_from([*"abcdefghijklmn", "a b", "a::b", "é", "", "x" * 70])
KINDS = st.sampled_from(["goal", "decision", "option", "outcome", "risk", "action", "choice", "banana", ""])
NODES = st.fixed_dictionaries(
    {"id": IDS, "kind": KINDS},
    optional={"label": st.text(max_size=300), "body": st.sampled_from(["short", "y" * 201, "z" * 500])},
)
PROVENANCE = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"source": st.sampled_from(["", "brief"]), "quote": st.sampled_from(["", "q", "q" * 130])}
    ),
)
EDGES = st.fixed_dictionaries(
    {"id": st.sampled_from(["e1", "e2", ""]), "from": IDS, "to": IDS},
    optional={
        "belief": st.one_of(st.none(), st.floats(-2, 3)),
        "weight": st.one_of(st.floats(allow_nan=True), st.text(max_size=3)),
        "provenance": PROVENANCE,
        "provenance_source": st.sampled_from(["document", "rumour", ""]),
    },
)
ANSWERS = st.fixed_dictionaries(
    {
        "graph": st.fixed_dictionaries(
            {"nodes": st.lists(NODES, max_size=30), "edges": st.lists(EDGES, max_size=60)}
        ),
        "rationales": st.lists(
            st.fixed_dictionaries({"target": IDS, "why": st.sampled_from(["so", "w" * 300])}), max_size=5
        ),
        "confidence": st.one_of(st.none(), st.floats(-1, 2)),
    }
)


@given(ANSWERS)
@settings(max_examples=150, deadline=None)
def test_the_result_always_validates(said):
    answer = TASK.parse(json.dumps(said))
    try:
        repaired = TASK.simple_repair(answer)
    except BadOutputError:
        return
    assert TASK.validate(repaired) == ()
    payload = TASK.payload(repaired)
    DraftGraphPayload.model_validate(payload)
    assert payload["clarifier_status"] == "max_rounds"
    assert payload["graph"]["meta"]["source"] == "simple_repair"
    said_pairs = {(edge.from_id, edge.to_id) for edge in answer.graph.edges}
    if all(node.id.isascii() and node.id.isalpha() and len(node.id) == 1 for node in answer.graph.nodes):
        assert {(edge.from_id, edge.to_id) for edge in repaired.graph.edges} <= said_pairs, (
            "nothing is invented"
        )


@given(ANSWERS)
@settings(max_examples=80, deadline=None)
def test_repairing_twice_changes_nothing_more(said):
    try:
        once = TASK.simple_repair(TASK.parse(json.dumps(said)))
    except BadOutputError:
        return
    twice = TASK.simple_repair(once)
    assert twice.graph == once.graph


def graph_of(nodes, edges):
    return json.dumps(
        {
            "nodes": [{"id": name, "kind": kind, "label": name} for name, kind in nodes],
            "edges": [{"id": "", "from": a, "to": b} for a, b in edges],
        }
    )


FULL = [("g", "goal"), ("d", "decision"), *((f"o{i}", "option") for i in range(4))]
FULL_EDGES = [("g", "d"), *(("d", f"o{i}") for i in range(4))]


def test_too_many_nodes_are_trimmed_without_losing_the_shape():
    outcomes = [(f"x{i}{j}", "outcome") for i in range(4) for j in range(4)]
    edges = FULL_EDGES + [(f"o{i}", f"x{i}{j}") for i in range(4) for j in range(4)]
    repaired = TASK.simple_repair(TASK.parse(graph_of(FULL + outcomes, edges)))
    assert len(repaired.graph.nodes) == 12
    assert topology(repaired.graph).score == 1.0


def test_extra_actions_and_risks_go_before_options():
    extra = [(f"r{i}", "risk") for i in range(8)] + [(f"x{i}", "outcome") for i in range(4)]
    edges = FULL_EDGES + [(f"o{i % 4}", f"r{i}") for i in range(8)] + [(f"o{i}", f"x{i}") for i in range(4)]
    kinds = [node.kind for node in TASK.simple_repair(TASK.parse(graph_of(FULL + extra, edges))).graph.nodes]
    assert kinds.count("option") == 4
    assert kinds.count("outcome") == 4
    assert kinds.count("risk") == 2


def test_too_many_edges_are_trimmed_and_every_node_stays():
    nodes = [*FULL, *((f"x{i}", "outcome") for i in range(6))]
    edges = (
        FULL_EDGES
        + [(f"o{i}", f"x{j}") for i in range(4) for j in range(6)]
        + [("g", f"x{j}") for j in range(6)]
    )
    repaired = TASK.simple_repair(TASK.parse(graph_of(nodes, edges)))
    assert len(repaired.graph.nodes) == 12
    assert len(repaired.graph.edges) == 24
    assert topology(repaired.graph).score == 1.0


def test_a_cycle_loses_the_edge_that_points_back_up():
    edges = [*FULL_EDGES, *((f"o{i}", "x") for i in range(4)), ("x", "d")]
    repaired = TASK.simple_repair(TASK.parse(graph_of([*FULL, ("x", "outcome")], edges)))
    assert ("x", "d") not in {(edge.from_id, edge.to_id) for edge in repaired.graph.edges}
    assert len(repaired.graph.edges) == len(edges) - 1


def test_bad_ids_are_renamed_and_their_edges_follow():
    answer = TASK.parse(graph_of([("my goal", "goal"), ("what?", "decision")], [("my goal", "what?")]))
    repaired = TASK.simple_repair(answer)
    assert [edge.id for edge in repaired.graph.edges] == ["my-goal::what::0"]


def test_the_loss_is_told():
    edges = [*FULL_EDGES, ("d", "nowhere")]
    repaired = TASK.simple_repair(TASK.parse(graph_of(FULL, edges)))
    assert any("0 nodes and 1 edges" in issue for issue in TASK.payload(repaired)["issues"])


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [
        ([], []),
        ([("a", "goal")], []),
        ([("a", "goal"), ("b", "option")], []),
        ([("a", "goal")], [("a", "a")]),
    ],
)
def test_nothing_left_is_bad_output_not_an_invention(nodes, edges):
    with pytest.raises(BadOutputError):
        TASK.simple_repair(TASK.parse(graph_of(nodes, edges)))
