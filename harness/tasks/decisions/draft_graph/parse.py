"""A model's text read into a `DraftAnswer`: tolerant, bounded, and never executed or trusted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import BadOutputError
from harness.tasks.confidence import read_confidence
from harness.tasks.decisions.draft_graph.graph import DraftAnswer, Edge, Graph, Node, Provenance, Rationale
from harness.tasks.decisions.draft_graph.stabilise import stabilised
from harness.tasks.jsonobject import find_json_object
from harness.tasks.plaintext import clean_text

MAX_READ_NODES = 200
MAX_READ_EDGES = 500
MAX_READ_RATIONALES = 200
MAX_TEXT_CHARS = 4000


def parse_answer(text: str) -> DraftAnswer:
    """The answer in a model's text, stabilised.

    Args:
        text: JSON, fenced JSON, or JSON amid prose.

    Raises:
        BadOutputError: no JSON object with a list of nodes in it.
    """
    found = find_json_object(text, wanted=("graph", "nodes"))
    graph = found.get("graph", found)
    if not isinstance(graph, Mapping) or not isinstance(graph.get("nodes"), list):
        raise BadOutputError("the answer holds no list of nodes")
    return stabilised(_Reader().answer(found, graph))


class _Reader:
    """Reads what can be read and keeps a clause for each part that cannot."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def answer(self, found: Mapping[str, Any], graph: Mapping[str, Any]) -> DraftAnswer:
        nodes = tuple(map(self._node, self._items(graph, "nodes", MAX_READ_NODES)))
        edges = tuple(map(self._edge, self._items(graph, "edges", MAX_READ_EDGES)))
        rationales = tuple(map(self._rationale, self._items(found, "rationales", MAX_READ_RATIONALES)))
        confidence, notes = read_confidence(found.get("confidence"))
        return DraftAnswer(
            graph=Graph(nodes=nodes, edges=edges),
            rationales=tuple(rationale for rationale in rationales if rationale.target and rationale.why),
            confidence=confidence,
            unreadable=tuple(self.unreadable),
            notes=notes,
        )

    def _items(self, owner: Mapping[str, Any], name: str, limit: int) -> Sequence[Mapping[str, Any]]:
        items = owner.get(name)
        if items is None:
            return []
        if not isinstance(items, list):
            self.unreadable.append(f"{name} is not a list")
            return []
        if len(items) > limit:
            self.unreadable.append(f"{name} has {len(items)} entries, of which {limit} were read")
        kept = [item for item in items[:limit] if isinstance(item, Mapping)]
        if len(kept) < min(len(items), limit):
            self.unreadable.append(f"{name} has entries that are not objects")
        return kept

    def _node(self, item: Mapping[str, Any]) -> Node:
        return Node(
            id=self._text(item, "id") or "",
            kind=(self._text(item, "kind") or "").lower(),
            label=self._text(item, "label"),
            body=self._text(item, "body"),
        )

    def _edge(self, item: Mapping[str, Any]) -> Edge:
        return Edge(
            id=self._text(item, "id") or "",
            from_id=self._text(item, "from") or "",
            to_id=self._text(item, "to") or "",
            weight=self._number(item, "weight"),
            belief=self._number(item, "belief"),
            provenance=self._provenance(item.get("provenance")),
            provenance_source=self._text(item, "provenance_source"),
        )

    def _provenance(self, item: Any) -> Provenance | None:
        if item is None:
            return None
        if not isinstance(item, Mapping):
            self.unreadable.append("a provenance is not an object")
            return None
        return Provenance(
            source=self._text(item, "source") or "",
            quote=self._text(item, "quote") or "",
            location=self._text(item, "location"),
        )

    def _rationale(self, item: Mapping[str, Any]) -> Rationale:
        return Rationale(target=self._text(item, "target") or "", why=self._text(item, "why") or "")

    def _text(self, item: Mapping[str, Any], name: str) -> str | None:
        value = item.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and name in ("id", "from", "to", "target"):
            value = str(value)
        if value is None:
            return None
        if not isinstance(value, str):
            self.unreadable.append(f"{name} is not text")
            return None
        if len(value) > MAX_TEXT_CHARS:
            self.unreadable.append(f"{name} has {len(value)} characters, of which {MAX_TEXT_CHARS} were read")
        return clean_text(value[:MAX_TEXT_CHARS]) or None

    def _number(self, item: Mapping[str, Any], name: str) -> float | None:
        value = item.get(name)
        if value is None:
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            self.unreadable.append(f"{name} is not a finite number")
            return None
        return number
