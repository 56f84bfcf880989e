"""One worked example for the models: a brief and the graph that a good answer gives.

It also lifts the stable part of the prompt over the length from which providers cache it (1024 tokens).
"""

from typing import Any

EXAMPLE_BRIEF = """\
Our workshop sends its laser cutting out, which costs about $1,450 a month and takes 6 days per order. We want
parts within 2 days. Should we buy a cutter for $38,000, lease one at $900 a month for four years, or keep
sending work out and pay the 15% rush fee? The floor bears at most 800 kg, and the landlord answers by
30 April."""


def _document(quote: str) -> dict[str, Any]:
    return {
        "provenance": {"source": "brief", "quote": quote, "location": None},
        "provenance_source": "document",
    }


_HYPOTHESIS: dict[str, Any] = {"provenance": None, "provenance_source": "hypothesis"}

_NODES = (
    ("goal", "goal", "Parts within 2 days, not 6 days", "Sending out costs about $1,450 a month today."),
    ("decision", "decision", "How to cut parts from now on?", "The landlord answers by 30 April."),
    ("buy", "option", "Buy a cutter for $38,000", None),
    ("lease", "option", "Lease a cutter at $900 a month for four years", None),
    ("send_out", "option", "Keep sending work out and pay the 15% rush fee", None),
    ("own_pace", "outcome", "Parts in hours, no monthly fee", "Pays back in a little over two years."),
    ("steady_cost", "outcome", "Parts in hours at a steady cost", "Saves about $550 a month from the start."),
    ("rush_cost", "outcome", "Faster orders at a higher price", "The 15% fee adds about $218 a month."),
    ("floor", "risk", "The cutter weighs more than 800 kg", "Then neither buying nor leasing works."),
)

_EDGES: tuple[tuple[str, str, float, dict[str, Any]], ...] = (
    ("goal", "decision", 0.95, _document("We want parts within 2 days")),
    ("decision", "buy", 0.9, _document("buy a cutter for $38,000")),
    ("decision", "lease", 0.9, _document("lease one at $900 a month for four years")),
    ("decision", "send_out", 0.9, _document("pay the 15% rush fee")),
    ("buy", "own_pace", 0.7, _HYPOTHESIS),
    ("lease", "steady_cost", 0.7, _HYPOTHESIS),
    ("send_out", "rush_cost", 0.8, _document("costs about $1,450 a month")),
    ("buy", "floor", 0.4, _document("The floor bears at most 800 kg")),
    ("lease", "floor", 0.4, _document("The floor bears at most 800 kg")),
)

EXAMPLE_ANSWER: dict[str, Any] = {
    "graph": {
        "nodes": [
            {"id": node_id, "kind": kind, "label": label, "body": body}
            for node_id, kind, label, body in _NODES
        ],
        "edges": [
            {"id": f"e{i}", "from": start, "to": end, "weight": None, "belief": belief, **grounds}
            for i, (start, end, belief, grounds) in enumerate(_EDGES, start=1)
        ],
    },
    "rationales": [
        {
            "target": "floor",
            "why": "The weight limit rules out both kinds of cutter at once, so check it first.",
        },
        {
            "target": "rush_cost",
            "why": "15% of $1,450 is $217.50; the brief does not say how much faster it is.",
        },
    ],
    "confidence": 0.75,
}
"""A good answer to the example's brief."""
