"""Topology: does the graph read as a decision: goal -> decision -> options -> outcomes, all connected?

High: a goal that leads to a decision, two or more options under it, each leading to an outcome or a risk, in
one piece. Low: kinds missing, options that nobody decides on or that lead nowhere, loose parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.tasks.decisions.draft_graph.graph import Graph, NodeKind

MIN_OPTIONS = 2
_CONSEQUENCES = frozenset((NodeKind.OUTCOME, NodeKind.RISK))


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The five parts, each 0..1 and of equal weight, and what is amiss, one sentence each."""

    parts: Mapping[str, float]
    findings: tuple[str, ...]

    @property
    def score(self) -> float:
        """Mean of the parts, 0..1."""
        return sum(self.parts.values()) / len(self.parts)


def topology(graph: Graph) -> Topology:
    """How far a graph has the shape of a decision. An empty graph scores 0 in every part."""
    by_kind = {kind: [node.id for node in graph.nodes if node.kind == kind] for kind in NodeKind}
    goals, decisions = by_kind[NodeKind.GOAL], by_kind[NodeKind.DECISION]
    options = by_kind[NodeKind.OPTION]
    consequences = [node.id for node in graph.nodes if node.kind in _CONSEQUENCES]
    led_to = _reached_from(graph, decisions)
    unled = [option for option in options if option not in led_to]
    blind = [option for option in options if not _reached_from(graph, [option]) & set(consequences)]
    present = [bool(goals), bool(decisions), len(options) >= MIN_OPTIONS, bool(by_kind[NodeKind.OUTCOME])]
    pursued = bool(_reached_from(graph, goals) & set(decisions))
    largest = _largest_part(graph)
    findings = [
        *(f"the graph has no {name}" for name, there in zip(_NEEDED, present, strict=True) if not there),
        *([] if pursued or not goals or not decisions else ["no goal leads to a decision"]),
        *(f"no decision leads to option {_name(graph, option)}" for option in unled),
        *(f"option {_name(graph, option)} leads to no outcome or risk" for option in blind),
        *(["the graph falls into separate parts"] if largest < len(graph.node_ids) else []),
    ]
    return Topology(
        parts={
            "kinds_present": sum(present) / len(present),
            "goal_leads_to_decision": float(pursued),
            "options_decided_on": _share_without(unled, options),
            "options_have_outcomes": _share_without(blind, options),
            "connected": largest / len(graph.node_ids) if graph.nodes else 0.0,
        },
        findings=tuple(findings),
    )


_NEEDED = ("goal", "decision", "choice of at least two options", "outcome")


def _share_without(amiss: Sequence[str], everything: Sequence[str]) -> float:
    """1 minus the share amiss; 0 when there is nothing that could be right."""
    return 1 - len(amiss) / len(everything) if everything else 0.0


def _name(graph: Graph, node_id: str) -> str:
    label = next((node.label for node in graph.nodes if node.id == node_id), None)
    return f"'{label or node_id}'"


def _reached_from(graph: Graph, starts: Iterable[str]) -> set[str]:
    """Every node that an edge path of at least one step reaches."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        here = waiting.pop()
        new = {edge.to_id for edge in graph.edges if edge.from_id == here} - found
        found |= new
        waiting += new
    return found


def _largest_part(graph: Graph) -> int:
    """How many nodes the largest weakly connected part has."""
    part = {node_id: node_id for node_id in graph.node_ids}
    for edge in graph.edges:
        one, other = part.get(edge.from_id), part.get(edge.to_id)
        if one is not None and other is not None and one != other:
            part = {node_id: one if name == other else name for node_id, name in part.items()}
    names = list(part.values())
    return max((names.count(name) for name in set(names)), default=0)
