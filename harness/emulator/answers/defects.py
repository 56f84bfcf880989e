"""Broken rules put into a good graph, so that repairs really happen."""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

from harness.emulator.answers.graph import MAX_BODY, MAX_NODES, Graph
from harness.emulator.draws import Draws


def with_defect(graph: Graph, draws: Draws) -> tuple[Graph, str]:
    """A copy of the graph with one broken rule, and the defect's name."""
    kinds = sorted(DEFECTS)
    name = kinds[int(draws.uniform("defect kind") * len(kinds))]
    broken = deepcopy(graph)
    DEFECTS[name](broken, draws.stream("defect"))
    return broken, name


def _too_many_nodes(graph: Graph, rng: Random) -> None:
    anchors = [n["id"] for n in graph["nodes"] if n["kind"] == "option"] or [graph["nodes"][0]["id"]]
    for number in range(1, MAX_NODES - len(graph["nodes"]) + 2 + rng.randint(0, 2)):
        node_id = f"outcome_extra_{number}"
        label = f"Further consequence {number}"
        graph["nodes"].append({"id": node_id, "kind": "outcome", "label": label, "body": label})
        graph["edges"].append(_edge(graph, rng.choice(anchors), node_id))


def _cycle(graph: Graph, rng: Random) -> None:
    leaves = [n["id"] for n in graph["nodes"] if n["kind"] == "outcome"] or [graph["nodes"][-1]["id"]]
    target = next((n["id"] for n in graph["nodes"] if n["kind"] == "decision"), graph["nodes"][0]["id"])
    graph["edges"].append(_edge(graph, rng.choice(leaves), target))


def _dangling_edge(graph: Graph, rng: Random) -> None:
    source = rng.choice(graph["nodes"])["id"]
    graph["edges"].append(_edge(graph, source, f"outcome_{rng.randint(40, 99)}"))


def _isolated_node(graph: Graph, rng: Random) -> None:
    if len(graph["nodes"]) >= MAX_NODES:
        victim = rng.choice([n["id"] for n in graph["nodes"] if n["kind"] in ("outcome", "risk")] or ["none"])
        graph["edges"][:] = [e for e in graph["edges"] if victim not in (e["from"], e["to"])]
        return
    label = "Wait for more information"
    graph["nodes"].append({"id": "action_1", "kind": "action", "label": label, "body": label})


def _overlong_body(graph: Graph, rng: Random) -> None:
    node = rng.choice(graph["nodes"])
    text = node.get("body") or node.get("label") or "detail"
    node["body"] = (f"{text} " * (2 + (MAX_BODY + 60) // (len(text) + 1)))[
        : MAX_BODY + 20 + rng.randint(0, 80)
    ]


def _self_loop(graph: Graph, rng: Random) -> None:
    node_id = rng.choice(graph["nodes"])["id"]
    graph["edges"].append(_edge(graph, node_id, node_id))


def _edge(graph: Graph, source: str, target: str) -> dict[str, Any]:
    return {
        "id": f"{source}::{target}::{len(graph['edges'])}",
        "from": source,
        "to": target,
        "weight": 0.5,
        "belief": 0.5,
    }


DEFECTS: dict[str, Callable[[Graph, Random], None]] = {
    "cycle": _cycle,
    "dangling_edge": _dangling_edge,
    "isolated_node": _isolated_node,
    "overlong_body": _overlong_body,
    "self_loop": _self_loop,
    "too_many_nodes": _too_many_nodes,
}
