"""What the fixtures provider says: a decision graph or a list of options, cut from the question by rule."""

import re
from typing import Any

MAX_OPTIONS = 4
LABEL_CHARS = 80
QUOTE_CHARS = 100

_FIGURE = re.compile(
    r"[$€£]?\d[\d,]*(?:\.\d+)?\s?(?:%|[kKmM]\b|percent\b|days?\b|weeks?\b|months?\b|years?\b)?"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_LIST = re.compile(
    r"\b(?:between|options?(?:\s+are|\s+include)?:?|either|whether\s+to|choose\s+from|should\s+we)\s+(.+)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"\s*(?:,\s*(?:or|and)\s+|,|;|\bversus\b|\bvs\.?\b|\bor\b)\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)


def draft_answer(brief: str) -> dict[str, Any]:
    """A graph that keeps every rule: goal -> decision -> options -> outcomes, at most 10 nodes.

    Args:
        brief: any text that is not blank.
    """
    sentences = [part.strip() for part in _SENTENCE.split(brief) if part.strip()] or ["the request"]
    options = options_in(brief)
    figures = figures_in(brief)
    nodes = [
        _node("goal", "goal", sentences[0], brief),
        _node("decision", "decision", "Choose among: " + "; ".join(options), brief),
    ]
    edges = [_edge("goal", "decision", brief)]
    for index, option in enumerate(options):
        option_id, outcome_id = f"option_{index + 1}", f"outcome_{index + 1}"
        told = figures[index :: len(options)]
        outcome = f"Outcome of {option}" + (f" ({', '.join(told)})" if told else "")
        nodes += [_node(option_id, "option", option, brief), _node(outcome_id, "outcome", outcome, brief)]
        edges += [_edge("decision", option_id, brief), _edge(option_id, outcome_id, brief)]
    return {
        "graph": {
            "nodes": sorted(nodes, key=lambda node: node["id"]),
            "edges": sorted(edges, key=lambda edge: (edge["from"], edge["to"], edge["id"])),
        },
        "rationales": [
            {"target": f"option_{index + 1}", "why": _clipped(f"The brief names {option}.", 280)}
            for index, option in enumerate(options)
        ],
        "confidence": 0.5,
    }


def options_in(text: str) -> list[str]:
    """The alternatives a brief names, at most 4; two generic ones when it names fewer than two."""
    for found in _LIST.finditer(text):
        listed = re.split(r"[.?!\n]", found.group(1))[0]
        parts = [part for part in _SEPARATOR.split(listed) if part.strip()]
        if len(parts) == 1:
            parts = _AND.split(parts[0])
        distinct = list(dict.fromkeys(_clipped(part.strip(" :-"), LABEL_CHARS) for part in parts))
        named = [part for part in distinct if part]
        if len(named) >= 2:
            return named[:MAX_OPTIONS]
    return ["Go ahead", "Keep things as they are"]


def figures_in(text: str) -> list[str]:
    """The figures a text names, in order, each once."""
    return list(dict.fromkeys(found.group().strip() for found in _FIGURE.finditer(text)))[:12]


def options_answer(goal: str, constraints: str) -> dict[str, Any]:
    """Three distinct options for a goal, each with two pros, two cons and two pieces of evidence."""
    aim = _clipped(goal or "the goal", LABEL_CHARS)
    limit = _clipped(constraints or "no constraint was given", LABEL_CHARS)
    ways = (
        ("start_small", "Start with a small trial", "limits what can be lost", "tells less about scale"),
        ("go_all_in", "Commit fully from the start", "gives the full effect early", "is hard to undo"),
        ("partner", "Do it with a partner", "shares the cost and the risk", "shares the control too"),
    )
    return {
        "options": [
            {
                "id": way_id,
                "title": f"{title}: {aim}",
                "pros": [f"It {pro}", f"It can respect: {limit}"],
                "cons": [f"It {con}", "It takes attention away from other work"],
                "evidence_to_gather": [f"What {title.lower()} cost others", "How many would use the result"],
            }
            for way_id, title, pro, con in ways
        ]
    }


def _node(node_id: str, kind: str, label: str, brief: str) -> dict[str, Any]:
    return {
        "id": node_id,
        "kind": kind,
        "label": _clipped(label, LABEL_CHARS),
        "body": _clipped(brief if kind == "goal" else label, 200),
    }


def _edge(source: str, target: str, brief: str) -> dict[str, Any]:
    quote = brief.strip().splitlines()[0][:QUOTE_CHARS]
    return {
        "id": f"{source}::{target}::0",
        "from": source,
        "to": target,
        "weight": 1.0,
        "belief": 0.5,
        "provenance": {"source": "brief", "quote": quote, "location": None},
        "provenance_source": "document",
    }


def _clipped(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
