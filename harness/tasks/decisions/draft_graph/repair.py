"""The deterministic repair of last resort: no model, no invention, and its result always validates."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from harness.errors import BadOutputError
from harness.tasks.decisions.draft_graph.graph import (
    MAX_BODY_CHARS,
    MAX_EDGES,
    MAX_LABEL_CHARS,
    MAX_NODES,
    MAX_QUOTE_CHARS,
    MAX_WHY_CHARS,
    DraftAnswer,
    Edge,
    Graph,
    GraphSource,
    Node,
    NodeKind,
    Provenance,
    Rationale,
)
from harness.tasks.decisions.draft_graph.stabilise import stabilised
from harness.tasks.decisions.draft_graph.validate import KINDS, NODE_ID, PROVENANCE_SOURCES
from harness.tasks.plaintext import clipped

KIND_RANK: Mapping[str, int] = {
    NodeKind.GOAL: 0,
    NodeKind.DECISION: 1,
    NodeKind.OPTION: 2,
    NodeKind.OUTCOME: 3,
    NodeKind.RISK: 3,
    NodeKind.ACTION: 4,
}
"""How far down the graph a kind belongs; edges should point to a higher rank."""

_KEEP_ORDER: Mapping[str, int] = {
    NodeKind.ACTION: 0,
    NodeKind.RISK: 1,
    NodeKind.OUTCOME: 2,
    NodeKind.OPTION: 3,
    NodeKind.DECISION: 4,
    NodeKind.GOAL: 5,
}
_OTHER_NAMES: Mapping[str, NodeKind] = {
    "objective": NodeKind.GOAL,
    "aim": NodeKind.GOAL,
    "question": NodeKind.DECISION,
    "choice": NodeKind.OPTION,
    "alternative": NodeKind.OPTION,
    "consequence": NodeKind.OUTCOME,
    "result": NodeKind.OUTCOME,
    "effect": NodeKind.OUTCOME,
    "threat": NodeKind.RISK,
    "step": NodeKind.ACTION,
    "task": NodeKind.ACTION,
}


def simple_repair(answer: DraftAnswer) -> DraftAnswer:
    """Trim to the caps, drop dangling edges, cycles and isolated nodes; clip texts; add nothing.

    Raises:
        BadOutputError: no two connected nodes are left.
    """
    nodes, new_ids = _mended_nodes(answer.graph.nodes)
    edges = _mended_edges(answer.graph.edges, new_ids)
    nodes = _within_node_cap(_connected(nodes, edges), edges)
    kinds = {node.id: node.kind for node in nodes}
    edges = _within_edge_cap(_acyclic(_by_preference(edges, kinds)))
    nodes = _connected(nodes, edges)
    if not nodes:
        raise BadOutputError("nothing of the graph is left once its broken parts are dropped")
    graph = Graph(nodes=tuple(nodes), edges=tuple(edges))
    repaired = replace(
        answer,
        graph=graph,
        rationales=tuple(_renamed_rationales(answer.rationales, new_ids)),
        source=GraphSource.SIMPLE_REPAIR,
        unreadable=(),
        notes=(*answer.notes, _loss_note(answer.graph, graph)),
    )
    return _without_lost_targets(stabilised(repaired))


def _loss_note(before: Graph, after: Graph) -> str:
    nodes, edges = len(before.nodes) - len(after.nodes), len(before.edges) - len(after.edges)
    return f"simple repair finished this graph: {nodes} nodes and {edges} edges of the draft were dropped"


def _mended_nodes(nodes: Iterable[Node]) -> tuple[list[Node], dict[str, str]]:
    """Nodes with valid ids, kinds and lengths; of nodes that share an id the first stays."""
    mended: dict[str, Node] = {}
    new_ids: dict[str, str] = {}
    given = list(nodes)
    taken = {node.id for node in given if NODE_ID.fullmatch(node.id)}
    for node in given:
        if node.id in new_ids:
            continue
        new_ids[node.id] = new_id = _valid_id(node.id, taken)
        taken.add(new_id)
        kind = node.kind if node.kind in KINDS else _OTHER_NAMES.get(node.kind, NodeKind.OUTCOME).value
        mended[new_id] = Node(
            id=new_id,
            kind=kind,
            label=_clipped(node.label, MAX_LABEL_CHARS),
            body=_clipped(node.body, MAX_BODY_CHARS),
        )
    return list(mended.values()), new_ids


def _valid_id(node_id: str, taken: set[str]) -> str:
    if NODE_ID.fullmatch(node_id):
        return node_id
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", node_id).strip("-")[:56] or "node"
    number = 0
    candidate = stem
    while candidate in taken:
        number += 1
        candidate = f"{stem}-{number}"
    return candidate


def _clipped(text: str | None, limit: int) -> str | None:
    return None if text is None else clipped(text, limit)


def _mended_edges(edges: Iterable[Edge], new_ids: Mapping[str, str]) -> list[Edge]:
    """Edges between two different nodes that exist, their fields valid or left out."""
    mended = []
    for edge in edges:
        from_id, to_id = new_ids.get(edge.from_id), new_ids.get(edge.to_id)
        if from_id is None or to_id is None or from_id == to_id:
            continue
        in_range = edge.belief is not None and 0 <= edge.belief <= 1
        known_source = edge.provenance_source in PROVENANCE_SOURCES
        mended.append(
            replace(
                edge,
                from_id=from_id,
                to_id=to_id,
                belief=edge.belief if in_range else None,
                provenance=_mended_provenance(edge.provenance),
                provenance_source=edge.provenance_source if known_source else None,
            )
        )
    return mended


def _mended_provenance(provenance: Provenance | None) -> Provenance | None:
    if provenance is None or not provenance.source or not provenance.quote:
        return None
    # Cut without an ellipsis: a shortened quote must still be found in the brief.
    return replace(provenance, quote=provenance.quote[:MAX_QUOTE_CHARS].rstrip())


def _connected(nodes: Iterable[Node], edges: Iterable[Edge]) -> list[Node]:
    reached = {end for edge in edges for end in (edge.from_id, edge.to_id)}
    return [node for node in nodes if node.id in reached]


def _within_node_cap(nodes: Sequence[Node], edges: Sequence[Edge]) -> list[Node]:
    """Drop, one by one, the node that the graph misses least until the cap holds."""
    kept = {node.id: node for node in nodes}
    while len(kept) > MAX_NODES:
        neighbours: defaultdict[str, set[str]] = defaultdict(set)
        for edge in edges:
            if edge.from_id in kept and edge.to_id in kept:
                neighbours[edge.from_id].add(edge.to_id)
                neighbours[edge.to_id].add(edge.from_id)
        del kept[min(kept.values(), key=lambda node: _loss(node, neighbours, kept)).id]
    return list(kept.values())


def _loss(
    node: Node, neighbours: Mapping[str, set[str]], kept: Mapping[str, Node]
) -> tuple[bool, int, int, str]:
    """What dropping a node costs: first whether it strands another, then its kind, then its degree."""
    around = neighbours.get(node.id, set())
    strands = any(_needs(kept[other], node, neighbours, kept) for other in around)
    return strands, _KEEP_ORDER[node.kind], len(around), node.id


def _needs(other: Node, node: Node, neighbours: Mapping[str, set[str]], kept: Mapping[str, Node]) -> bool:
    """True when `other` loses its last neighbour, or an option its last one further down the graph."""
    rest = [kept[name] for name in neighbours[other.id] if name != node.id]
    if not rest:
        return True
    below = KIND_RANK[other.kind]
    is_last_consequence = KIND_RANK[node.kind] > below and all(KIND_RANK[n.kind] <= below for n in rest)
    return other.kind == NodeKind.OPTION and is_last_consequence


def _by_preference(edges: Iterable[Edge], kinds: Mapping[str, str]) -> list[Edge]:
    """Edges between kept nodes: one rank down first, then further down, then level, then up."""

    def preference(edge: Edge) -> tuple[int, str, str, str]:
        step = KIND_RANK[kinds[edge.to_id]] - KIND_RANK[kinds[edge.from_id]]
        return (step if step > 0 else 10 - step), edge.from_id, edge.to_id, edge.id

    return sorted((e for e in edges if e.from_id in kinds and e.to_id in kinds), key=preference)


def _acyclic(edges: Iterable[Edge]) -> list[Edge]:
    """The edges in order, each left out that would close a cycle with those before it."""
    onward: defaultdict[str, set[str]] = defaultdict(set)
    kept = []
    for edge in edges:
        if edge.from_id in _reachable(edge.to_id, onward):
            continue
        onward[edge.from_id].add(edge.to_id)
        kept.append(edge)
    return kept


def _reachable(start: str, onward: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        new = onward.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _within_edge_cap(edges: Sequence[Edge]) -> list[Edge]:
    """At most `MAX_EDGES`: first what keeps every connected part whole, then the rest in order."""
    if len(edges) <= MAX_EDGES:
        return list(edges)
    group = {end: end for edge in edges for end in (edge.from_id, edge.to_id)}
    spanning, spare = [], []
    for edge in edges:
        one, other = group[edge.from_id], group[edge.to_id]
        if one == other:
            spare.append(edge)
            continue
        spanning.append(edge)
        group = {end: one if part == other else part for end, part in group.items()}
    return [*spanning, *spare][:MAX_EDGES]


def _renamed_rationales(rationales: Iterable[Rationale], new_ids: Mapping[str, str]) -> list[Rationale]:
    return [
        Rationale(
            target=new_ids.get(rationale.target, rationale.target),
            why=clipped(rationale.why, MAX_WHY_CHARS),
        )
        for rationale in rationales
    ]


def _without_lost_targets(answer: DraftAnswer) -> DraftAnswer:
    targets = answer.graph.node_ids | {edge.id for edge in answer.graph.edges}
    return replace(answer, rationales=tuple(r for r in answer.rationales if r.target in targets))
