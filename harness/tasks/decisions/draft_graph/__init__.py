"""The reference task: a decision brief becomes a small decision graph."""

from harness.tasks.decisions.draft_graph.grade import GRADERS, WEIGHTS, grade
from harness.tasks.decisions.draft_graph.graph import DraftAnswer, Edge, Graph, Node, NodeKind, graph_json
from harness.tasks.decisions.draft_graph.prompts import DraftGraphInput
from harness.tasks.decisions.draft_graph.schema import ANSWER_SCHEMA, DraftGraphPayload
from harness.tasks.decisions.draft_graph.task import DraftGraphTask
from harness.tasks.decisions.draft_graph.validate import VIOLATION_CODES

__all__ = [
    "ANSWER_SCHEMA",
    "GRADERS",
    "VIOLATION_CODES",
    "WEIGHTS",
    "DraftAnswer",
    "DraftGraphInput",
    "DraftGraphPayload",
    "DraftGraphTask",
    "Edge",
    "Graph",
    "Node",
    "NodeKind",
    "grade",
    "graph_json",
]
