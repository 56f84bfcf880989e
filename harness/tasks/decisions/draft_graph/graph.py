"""The decision graph in memory: what a model said, broken rules and all.

These types are lenient on purpose (any string may stand as a kind, an edge may point nowhere): parsing keeps
what was said, `validate` names what is wrong, `schema` holds the strict public contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_NODES = 12
MAX_EDGES = 24
MAX_LABEL_CHARS = 120
MAX_BODY_CHARS = 200
MAX_QUOTE_CHARS = 100
MAX_WHY_CHARS = 280


class NodeKind(StrEnum):
    """What a node of a decision graph is."""

    GOAL = "goal"
    DECISION = "decision"
    OPTION = "option"
    OUTCOME = "outcome"
    RISK = "risk"
    ACTION = "action"


class ProvenanceSource(StrEnum):
    """Where an edge's claim comes from."""

    DOCUMENT = "document"
    METRIC = "metric"
    HYPOTHESIS = "hypothesis"
    ENGINE = "engine"


class GraphSource(StrEnum):
    """Who made the final graph: a model, or the deterministic repair of last resort."""

    MODEL = "model"
    SIMPLE_REPAIR = "simple_repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node; `kind` is any string until it is validated."""

    id: str
    kind: str
    label: str | None = None
    body: str | None = None

    @property
    def text(self) -> str:
        """Label and body together, as a reader sees them."""
        return " ".join(part for part in (self.label, self.body) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What an edge rests on: a source, and a quote from it."""

    source: str
    quote: str
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A directed edge. `belief` is 0..1 in a valid graph, None when the model gave none."""

    id: str
    from_id: str
    to_id: str
    weight: float | None = None
    belief: float | None = None
    provenance: Provenance | None = None
    provenance_source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes sorted by id, edges by (from, to, id), once stabilised."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def node_ids(self) -> frozenset[str]:
        """The ids of all nodes."""
        return frozenset(node.id for node in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rationale:
    """Why a node or an edge (`target`, its id) stands in the graph."""

    target: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAnswer:
    """A model's answer to a brief, read and stabilised.

    Attributes:
        graph: the graph, valid or not.
        rationales: the model's reasons, by target id.
        confidence: the model's own, 0..1, or None; never computed.
        source: who made the graph as it stands.
        unreadable: parts of the answer that could not be read, one clause each.
        notes: what a reader should know about how the answer came to be.
    """

    graph: Graph
    rationales: tuple[Rationale, ...] = ()
    confidence: float | None = None
    source: GraphSource = GraphSource.MODEL
    unreadable: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def node_json(node: Node) -> dict[str, Any]:
    """The public JSON of a node; absent fields are left out."""
    return _without_none({"id": node.id, "kind": node.kind, "label": node.label, "body": node.body})


def edge_json(edge: Edge) -> dict[str, Any]:
    """The public JSON of an edge; absent fields are left out."""
    quoted = edge.provenance
    provenance = quoted and _without_none(
        {"source": quoted.source, "quote": quoted.quote, "location": quoted.location}
    )
    return _without_none(
        {
            "id": edge.id,
            "from": edge.from_id,
            "to": edge.to_id,
            "weight": edge.weight,
            "belief": edge.belief,
            "provenance": provenance,
            "provenance_source": edge.provenance_source,
        }
    )


def graph_json(graph: Graph) -> dict[str, Any]:
    """Nodes and edges as public JSON, without `meta`."""
    return {"nodes": [node_json(n) for n in graph.nodes], "edges": [edge_json(e) for e in graph.edges]}


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
