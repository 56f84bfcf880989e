"""A decision graph drawn from a brief in the brief's own words, as a model of known quality would."""

import re
import textwrap
from typing import Any

from harness.emulator.answers.brief import FIGURE, BriefFacts, read_brief
from harness.emulator.draws import Draws

MAX_NODES = 12
MAX_BODY = 200
MAX_QUOTE = 100
Graph = dict[str, list[dict[str, Any]]]


def draft_answer(brief: str, draws: Draws, quality: float) -> dict[str, Any]:
    """The whole draft: graph, rationales and the model's confidence.

    Args:
        brief: its text.
        draws: the request's chances.
        quality: chance 0..1 that each option and figure of the brief is covered.
    """
    facts = read_brief(brief)
    graph = _Sketch(facts, draws, quality).graph()
    return {
        "graph": graph,
        "rationales": rationales(graph),
        "confidence": round(0.55 + 0.4 * draws.uniform("confidence") * quality, 2),
    }


def rationales(graph: Graph) -> list[dict[str, str]]:
    """One sentence of why for each option and the decision."""
    wanted = [node for node in graph["nodes"] if node.get("kind") in ("decision", "option")]
    return [
        {"target": str(node["id"]), "why": f"The brief puts this on the table: {node.get('label', '')}"[:280]}
        for node in wanted[:5]
    ]


class _Sketch:
    """One graph in the making."""

    def __init__(self, facts: BriefFacts, draws: Draws, quality: float) -> None:
        self._facts = facts
        self._draws = draws
        self._quality = quality
        self._dropped_figures = [f for f in facts.figures if draws.uniform(f"figure:{f}") >= quality]
        dropped = [o for o in facts.options if draws.uniform(f"option:{o}") >= quality]
        self._dropped_options = dropped[: max(0, len(facts.options) - 2)]
        self._options = [o for o in facts.options if o not in self._dropped_options]
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[dict[str, Any]] = []
        self._said: set[str] = set()

    def graph(self) -> Graph:
        """Goal to decision to options to outcomes, risks beside them; other figures where there is room."""
        facts = self._facts
        question = next((s for s in facts.sentences if "?" in s), f"Which course: {', '.join(self._options)}")
        self._node("goal_1", "goal", _headline(facts.goal), facts.goal)
        self._node("decision_1", "decision", _headline(question), question)
        self._edge("goal_1", "decision_1", facts.goal)
        for number, option in enumerate(self._options, 1):
            sentence = facts.sentence_with(option)
            self._node(f"option_{number}", "option", option, sentence, around=option)
            self._edge("decision_1", f"option_{number}", sentence)
        for number, option in enumerate(self._options, 1):
            sentence = self._unsaid() or facts.sentence_with(option)
            self._node(f"outcome_{number}", "outcome", f"Result of {option}"[:80], sentence)
            self._edge(f"option_{number}", f"outcome_{number}", sentence)
        for number, risk in enumerate(facts.risks[: min(2, MAX_NODES - len(self._nodes))], 1):
            self._node(f"risk_{number}", "risk", _headline(risk), risk)
            self._edge(f"option_{(number - 1) % len(self._options) + 1}", f"risk_{number}", risk)
        self._place_what_is_left()
        self._nodes.sort(key=lambda node: str(node["id"]))
        self._edges.sort(key=lambda edge: (edge["from"], edge["to"], edge["id"]))
        return {"nodes": self._nodes, "edges": self._edges}

    def _unsaid(self) -> str | None:
        """The first sentence with a figure, else any, that no node says yet."""
        left = [s for s in self._facts.sentences if s not in self._said]
        return next((s for s in left if FIGURE.search(s)), left[0] if left else None)

    def _place_what_is_left(self) -> None:
        """Sentences, then figures, that no node says yet go where there is room."""
        while (sentence := self._unsaid()) is not None:
            self._said.add(sentence)
            for piece in textwrap.wrap(self._redacted(sentence), MAX_BODY // 2):
                self._squeeze_in(piece)
        for figure in self._facts.figures:
            said = " ".join(f"{node['label']} {node['body']}" for node in self._nodes)
            if figure in said or figure in self._dropped_figures:
                continue
            clause = _around(self._facts.sentence_with(figure), figure, width=60)
            if not self._squeeze_in(self._redacted(clause)):
                self._squeeze_in(figure)

    def _squeeze_in(self, text: str) -> bool:
        room = next((n for n in self._nodes if len(n["body"]) + len(text) + 2 <= MAX_BODY), None)
        if room is not None:
            room["body"] = f"{room['body']}; {text}".removeprefix("; ")
        return room is not None

    def _node(self, node_id: str, kind: str, label: str, sentence: str, around: str = "") -> None:
        body = "" if sentence in self._said else _around(sentence, around)
        if len(sentence) <= MAX_BODY:
            self._said.add(sentence)
        self._nodes.append(
            {
                "id": node_id,
                "kind": kind,
                "label": self._redacted(label)[:120],
                "body": self._redacted(body)[:MAX_BODY],
            }
        )

    def _edge(self, source: str, target: str, sentence: str) -> None:
        index = len(self._edges)
        edge: dict[str, Any] = {
            "id": f"{source}::{target}::{index}",
            "from": source,
            "to": target,
            "weight": round(self._draws.uniform(f"weight:{index}"), 2),
            "belief": round(0.4 + 0.55 * self._draws.uniform(f"belief:{index}"), 2),
        }
        if self._draws.uniform(f"provenance:{index}") < self._quality:
            edge["provenance"] = {"source": "brief", "quote": _headline(self._redacted(sentence), MAX_QUOTE)}
            edge["provenance_source"] = "document"
        self._edges.append(edge)

    def _redacted(self, text: str) -> str:
        """The text as a model would put it that overlooked some figures and options."""
        for figure in self._dropped_figures:
            text = re.sub(rf"(?<![\w.,]){re.escape(figure)}(?![\d%])", "some", text)
        for option in self._dropped_options:
            text = re.sub(re.escape(option), "another course", text, flags=re.IGNORECASE)
        return text


def _headline(sentence: str, width: int = 80) -> str:
    """The sentence's beginning, cut between words."""
    return sentence[:width].rsplit(" ", 1)[0] if len(sentence) > width else sentence


def _around(sentence: str, phrase: str, width: int = MAX_BODY) -> str:
    """At most `width` characters of the sentence, with the phrase inside."""
    if len(sentence) <= width:
        return sentence
    at = max(0, sentence.lower().find(phrase.lower()))
    start = max(0, min(at - (width - len(phrase)) // 2, len(sentence) - width))
    return sentence[start : start + width].strip()
