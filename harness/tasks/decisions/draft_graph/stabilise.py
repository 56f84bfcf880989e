"""One graph, one form: ids, order and layout depend on what it says, not on the order it was said in."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from harness.tasks.decisions.draft_graph.graph import DraftAnswer, Edge, Graph, GraphSource, Node, Rationale

LAYER_GAP_PX = 140
SIBLING_GAP_PX = 220


def stabilised(answer: DraftAnswer) -> DraftAnswer:
    """The answer with nodes sorted by id, edges renamed `from::to::index` and sorted, rationales following.

    Idempotent; the order in which the model listed things makes no difference.
    """
    nodes = tuple(sorted(answer.graph.nodes, key=_order))
    edges, renamed = _renamed_edges(answer.graph.edges)
    known = {node.id for node in nodes} | {edge.id for edge in edges}
    rationales = tuple(
        sorted((_retargeted(rationale, renamed, known) for rationale in answer.rationales), key=_order)
    )
    return replace(answer, graph=Graph(nodes=nodes, edges=edges), rationales=rationales)


def _renamed_edges(edges: Iterable[Edge]) -> tuple[tuple[Edge, ...], Mapping[str, str]]:
    pairs: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        pairs[edge.from_id, edge.to_id].append(edge)
    stable: list[Edge] = []
    names: defaultdict[str, set[str]] = defaultdict(set)
    for (from_id, to_id), parallel in sorted(pairs.items()):
        ordered = parallel if len(parallel) == 1 else sorted(parallel, key=_parallel_order)
        for index, edge in enumerate(ordered):
            new = replace(edge, id=f"{from_id}::{to_id}::{index}")
            names[edge.id].add(new.id)
            stable.append(new)
    unambiguous = {old: next(iter(new)) for old, new in names.items() if old and len(new) == 1}
    return tuple(sorted(stable, key=lambda edge: (edge.from_id, edge.to_id, edge.id))), unambiguous


def _parallel_order(edge: Edge) -> tuple[str, ...]:
    """By content, not by the id given, so that renaming twice changes nothing."""
    return _order(replace(edge, id=""))


def _order(item: Node | Edge | Rationale) -> tuple[str, ...]:
    values = _FIELDS[type(item)](item)
    return tuple("" if value is None else str(value) for value in values)


_FIELDS = {kind: attrgetter(*(item.name for item in fields(kind))) for kind in (Node, Edge, Rationale)}


def _retargeted(rationale: Rationale, renamed: Mapping[str, str], known: set[str]) -> Rationale:
    if rationale.target in known:
        return rationale
    return replace(rationale, target=renamed.get(rationale.target, rationale.target))


def graph_meta(graph: Graph, source: GraphSource) -> dict[str, Any]:
    """Roots, leaves and a layered layout: a node stands one layer below its lowest parent.

    Positions are pixels from the top left; nodes of a layer stand side by side in order of id.
    """
    entered = {edge.to_id for edge in graph.edges}
    left = {edge.from_id for edge in graph.edges}
    ids = sorted(graph.node_ids)
    return {
        "roots": [node_id for node_id in ids if node_id not in entered],
        "leaves": [node_id for node_id in ids if node_id not in left],
        "suggested_positions": _positions(graph, ids),
        "source": source.value,
    }


def _positions(graph: Graph, ids: list[str]) -> dict[str, dict[str, int]]:
    layer = dict.fromkeys(ids, 0)
    for _ in ids:  # longest path by relaxation: at most n - 1 rounds where there is no cycle
        for edge in graph.edges:
            if edge.from_id in layer and edge.to_id in layer:
                layer[edge.to_id] = max(layer[edge.to_id], min(layer[edge.from_id] + 1, len(ids)))
    taken: Counter[int] = Counter()
    positions = {}
    for node_id in ids:
        positions[node_id] = {"x": taken[layer[node_id]] * SIBLING_GAP_PX, "y": layer[node_id] * LAYER_GAP_PX}
        taken[layer[node_id]] += 1
    return positions
