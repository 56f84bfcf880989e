"""A model's repair of a broken graph: it keeps what is good and mends what is not."""

from copy import deepcopy
from typing import Any

from harness.emulator.answers.graph import MAX_BODY, MAX_NODES, Graph, rationales

MAX_EDGES = 24
KINDS = ("goal", "decision", "option", "outcome", "risk", "action")
_KEEP_FIRST = {
    kind: rank for rank, kind in enumerate(("goal", "decision", "option", "outcome", "risk", "action"))
}


def repair_answer(broken: dict[str, Any], *, succeeds: bool) -> dict[str, Any]:
    """The answer to a repair prompt.

    Args:
        broken: the object found in the prompt: a graph, or an answer that holds one.
        succeeds: False leaves the graph as it was.
    """
    inner = broken.get("graph")
    graph = _as_graph(inner if isinstance(inner, dict) else broken)
    if succeeds:
        graph = mended(graph)
    reasons = broken.get("rationales")
    confidence = broken.get("confidence")
    return {
        "graph": graph,
        "rationales": reasons if isinstance(reasons, list) and reasons else rationales(graph),
        "confidence": confidence if isinstance(confidence, int | float) else 0.7,
    }


def mended(graph: Graph) -> Graph:
    """The graph within every rule: caps, known kinds, no dangling edge, no cycle, nobody isolated."""
    nodes = _mended_nodes(graph["nodes"])
    ids = [str(node["id"]) for node in nodes]
    edges: list[dict[str, Any]] = []
    for edge in sorted(graph["edges"], key=_trust, reverse=True):
        source, target = str(edge.get("from")), str(edge.get("to"))
        if source in ids and target in ids and not _reaches(edges, target, source) and len(edges) < MAX_EDGES:
            edges.append(edge)
    touched = {end for edge in edges for end in (edge["from"], edge["to"])}
    hub = next((n["id"] for n in nodes if n["kind"] == "decision"), ids[0] if ids else "")
    for node in nodes:
        if node["id"] not in touched and node["id"] != hub and len(edges) < MAX_EDGES:
            edges.append({"from": hub, "to": node["id"], "weight": 0.5, "belief": 0.5})
            touched.update((hub, node["id"]))
    edges.sort(key=lambda edge: (str(edge["from"]), str(edge["to"])))
    for index, edge in enumerate(edges):
        edge["id"] = f"{edge['from']}::{edge['to']}::{index}"
    return {"nodes": sorted(nodes, key=lambda node: str(node["id"])), "edges": edges}


def _mended_nodes(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    unique = {str(node.get("id")): node for node in found if node.get("id")}
    ranked = sorted(
        unique.values(), key=lambda n: ("extra" in str(n["id"]), _KEEP_FIRST.get(str(n.get("kind")), 9))
    )
    nodes = ranked[:MAX_NODES]
    for node in nodes:
        if node.get("kind") not in KINDS:
            node["kind"] = "action"
        if isinstance(node.get("body"), str):
            node["body"] = node["body"][:MAX_BODY]
    return nodes


def _trust(edge: dict[str, Any]) -> tuple[bool, int]:
    """Edges that follow the usual order of kinds are kept before those that run against it."""
    ranks = [
        next((rank for kind, rank in _KEEP_FIRST.items() if str(edge.get(end, "")).startswith(kind)), 5)
        for end in ("from", "to")
    ]
    return bool(edge.get("provenance")), ranks[1] - ranks[0]


def _reaches(edges: list[dict[str, Any]], start: str, goal: str) -> bool:
    seen, open_ends = {start}, [start]
    while open_ends:
        here = open_ends.pop()
        if here == goal:
            return True
        for edge in edges:
            if edge["from"] == here and edge["to"] not in seen:
                seen.add(edge["to"])
                open_ends.append(edge["to"])
    return False


def _as_graph(found: dict[str, Any]) -> Graph:
    def rows(name: str) -> list[dict[str, Any]]:
        value = found.get(name)
        return [deepcopy(row) for row in value if isinstance(row, dict)] if isinstance(value, list) else []

    return {"nodes": rows("nodes"), "edges": rows("edges")}
