"""Every rule of a decision graph, each with a stable code and a sentence that a model can act on."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from harness.tasks.base import Violation
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
    Node,
    NodeKind,
    ProvenanceSource,
)
from harness.tasks.decisions.draft_graph.schema import NODE_ID_PATTERN

VIOLATION_CODES = (
    "NO_NODES",
    "TOO_MANY_NODES",
    "TOO_MANY_EDGES",
    "BAD_NODE_ID",
    "DUPLICATE_NODE_ID",
    "BAD_KIND",
    "LABEL_TOO_LONG",
    "BODY_TOO_LONG",
    "DANGLING_EDGE",
    "SELF_LOOP",
    "CYCLE",
    "ISOLATED_NODE",
    "BELIEF_OUT_OF_RANGE",
    "BAD_PROVENANCE",
    "QUOTE_TOO_LONG",
    "BAD_PROVENANCE_SOURCE",
    "WHY_TOO_LONG",
    "UNKNOWN_TARGET",
    "UNREADABLE_PART",
)
"""The rules' codes: a public contract of reports and tests."""

KINDS = frozenset(kind.value for kind in NodeKind)
PROVENANCE_SOURCES = frozenset(source.value for source in ProvenanceSource)
NODE_ID = re.compile(NODE_ID_PATTERN)


def violations_of(answer: DraftAnswer) -> tuple[Violation, ...]:
    """Every broken rule of a stabilised answer; empty when it is good."""
    graph = answer.graph
    node_ids = graph.node_ids
    return (
        *(_broken("UNREADABLE_PART", clause) for clause in answer.unreadable),
        *_cap_violations(graph),
        *(found for node in graph.nodes for found in _node_violations(node)),
        *_duplicate_ids(graph),
        *(found for edge in graph.edges for found in _edge_violations(edge, node_ids)),
        *_cycle_violations(graph),
        *_isolated_nodes(graph),
        *_rationale_violations(answer),
    )


def _broken(code: str, message: str, where: str | None = None) -> Violation:
    return Violation(code=code, message=message, where=where)


def _cap_violations(graph: Graph) -> Iterator[Violation]:
    if not graph.nodes:
        yield _broken("NO_NODES", "the graph has no nodes")
    if len(graph.nodes) > MAX_NODES:
        yield _broken("TOO_MANY_NODES", f"{len(graph.nodes)} nodes, at most {MAX_NODES} are allowed")
    if len(graph.edges) > MAX_EDGES:
        yield _broken("TOO_MANY_EDGES", f"{len(graph.edges)} edges, at most {MAX_EDGES} are allowed")


def _node_violations(node: Node) -> Iterator[Violation]:
    if not NODE_ID.fullmatch(node.id):
        yield _broken("BAD_NODE_ID", "an id is 1 to 64 characters of letters, digits, _ . -", node.id or None)
    if node.kind not in KINDS:
        yield _broken("BAD_KIND", f"kind must be one of {', '.join(sorted(KINDS))}", node.id)
    if node.label is not None and len(node.label) > MAX_LABEL_CHARS:
        message = f"the label has {len(node.label)} characters, at most {MAX_LABEL_CHARS} are allowed"
        yield _broken("LABEL_TOO_LONG", message, node.id)
    if node.body is not None and len(node.body) > MAX_BODY_CHARS:
        message = f"the body has {len(node.body)} characters, at most {MAX_BODY_CHARS} are allowed"
        yield _broken("BODY_TOO_LONG", message, node.id)


def _duplicate_ids(graph: Graph) -> Iterator[Violation]:
    for node_id, count in sorted(Counter(node.id for node in graph.nodes).items()):
        if count > 1:
            yield _broken("DUPLICATE_NODE_ID", f"{count} nodes share this id", node_id)


def _edge_violations(edge: Edge, node_ids: frozenset[str]) -> Iterator[Violation]:
    missing = sorted({end for end in (edge.from_id, edge.to_id) if end not in node_ids})
    if missing:
        yield _broken("DANGLING_EDGE", f"no node has the id {' or '.join(map(repr, missing))}", edge.id)
    elif edge.from_id == edge.to_id:
        yield _broken("SELF_LOOP", "an edge may not lead back to its own node", edge.id)
    if edge.belief is not None and not 0 <= edge.belief <= 1:
        yield _broken("BELIEF_OUT_OF_RANGE", f"belief {edge.belief:g} is not within 0 to 1", edge.id)
    if edge.provenance is not None:
        if not edge.provenance.source or not edge.provenance.quote:
            yield _broken("BAD_PROVENANCE", "provenance needs both a source and a quote", edge.id)
        if len(edge.provenance.quote) > MAX_QUOTE_CHARS:
            message = f"the quote has {len(edge.provenance.quote)} characters, at most {MAX_QUOTE_CHARS}"
            yield _broken("QUOTE_TOO_LONG", message, edge.id)
    if edge.provenance_source is not None and edge.provenance_source not in PROVENANCE_SOURCES:
        message = f"provenance_source must be one of {', '.join(sorted(PROVENANCE_SOURCES))}"
        yield _broken("BAD_PROVENANCE_SOURCE", message, edge.id)


def nodes_on_cycles(graph: Graph) -> tuple[str, ...]:
    """The ids of nodes on a cycle or between cycles, sorted; self loops are not counted.

    Nodes without a way in, then those without a way out, are peeled off until none is left to peel.
    """
    nodes = set(graph.node_ids)
    pairs = {(edge.from_id, edge.to_id) for edge in graph.edges}
    pairs = {(a, b) for a, b in pairs if a != b and a in nodes and b in nodes}
    while True:
        inner = {a for a, _ in pairs} & {b for _, b in pairs}
        kept = {(a, b) for a, b in pairs if a in inner and b in inner}
        if kept == pairs:
            return tuple(sorted(inner))
        pairs = kept


def _cycle_violations(graph: Graph) -> Iterator[Violation]:
    cyclic = nodes_on_cycles(graph)
    if cyclic:
        yield _broken("CYCLE", f"these nodes lead back to themselves: {', '.join(cyclic)}", cyclic[0])


def _isolated_nodes(graph: Graph) -> Iterator[Violation]:
    degree: defaultdict[str, int] = defaultdict(int)
    for edge in graph.edges:
        if edge.from_id != edge.to_id and {edge.from_id, edge.to_id} <= graph.node_ids:
            degree[edge.from_id] += 1
            degree[edge.to_id] += 1
    for node_id in sorted(graph.node_ids):
        if not degree[node_id]:
            yield _broken("ISOLATED_NODE", "no edge reaches this node", node_id)


def _rationale_violations(answer: DraftAnswer) -> Iterator[Violation]:
    targets = answer.graph.node_ids | {edge.id for edge in answer.graph.edges}
    for rationale in answer.rationales:
        if rationale.target not in targets:
            yield _broken(
                "UNKNOWN_TARGET", "a rationale names no node or edge of the graph", rationale.target
            )
        if len(rationale.why) > MAX_WHY_CHARS:
            message = f"why has {len(rationale.why)} characters, at most {MAX_WHY_CHARS} are allowed"
            yield _broken("WHY_TOO_LONG", message, rationale.target)
