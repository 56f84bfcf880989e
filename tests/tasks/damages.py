"""Deliberate changes to good graphs, each with the graders that must notice it, and those that may.

Every grader not named by a change must not move: that is what the confusion table counts.
"""

import re
from copy import deepcopy
from dataclasses import dataclass, field

from harness.tasks.decisions.draft_graph import WEIGHTS
from tests.tasks.good_graphs import GOOD, good_answer

GRADERS = tuple(WEIGHTS)
NOTICED_DROP = 0.01


@dataclass(frozen=True)
class Change:
    name: str
    apply: object
    notice: frozenset[str] = frozenset()
    may: frozenset[str] = field(default=frozenset())


CHANGES: list[Change] = []


def change(notice="", may=""):
    def register(function):
        CHANGES.append(Change(function.__name__, function, frozenset(notice.split()), frozenset(may.split())))
        return function

    return register


def of_kind(graph, *kinds):
    return [node for node in graph["nodes"] if node["kind"] in kinds]


def drop(graph, *ids):
    graph["nodes"] = [node for node in graph["nodes"] if node["id"] not in ids]
    graph["edges"] = [edge for edge in graph["edges"] if not {edge["from"], edge["to"]} & set(ids)]


def link(graph, start, end, **fields):
    graph["edges"].append({"id": "", "from": start, "to": end, "provenance_source": "hypothesis"} | fields)


# Harmless changes: no grader may notice.


@change()
def shuffled(graph):
    graph["nodes"].reverse()
    graph["edges"].reverse()


@change()
def ids_renamed(graph):
    names = {node["id"]: f"n{i}" for i, node in enumerate(graph["nodes"])}
    for node in graph["nodes"]:
        node["id"] = names[node["id"]]
    for edge in graph["edges"]:
        edge["from"], edge["to"] = names[edge["from"]], names[edge["to"]]


@change()
def shouted(graph):
    for node in graph["nodes"]:
        node["label"] = node["label"].upper()


@change()
def percent_in_words(graph):
    for node in graph["nodes"]:
        node["label"] = re.sub(r"(\d)%", r"\1 per cent", node["label"])


@change()
def label_moved_to_body(graph):
    for node in graph["nodes"]:
        node["body"], node["label"] = node["label"], "see below"


# Broken rules.


@change("schema", may="provenance")
def cycle(graph):
    link(graph, of_kind(graph, "outcome", "risk")[0]["id"], of_kind(graph, "decision")[0]["id"])


@change("schema", may="provenance")
def dangling_edge(graph):
    link(graph, graph["nodes"][0]["id"], "nowhere")


@change("schema", may="provenance")
def self_loop(graph):
    link(graph, graph["nodes"][0]["id"], graph["nodes"][0]["id"])


@change("schema topology")
def isolated_node(graph):
    graph["nodes"].append({"id": "alone", "kind": "action", "label": "Ask again later"})


@change("schema")
def overlong_body(graph):
    graph["nodes"][1]["body"] = "and so on " * 25


@change("schema", may="provenance")
def too_many_nodes(graph):
    anchor = of_kind(graph, "option")[0]["id"]
    for i in range(8):
        graph["nodes"].append({"id": f"more{i}", "kind": "outcome", "label": "Another consequence"})
        link(graph, anchor, f"more{i}")


@change("schema", may="provenance")
def too_many_edges(graph):
    options, ends = of_kind(graph, "option"), of_kind(graph, "outcome", "risk")
    for _ in range(8):
        for option in options:
            for end in ends:
                link(graph, option["id"], end["id"])


@change("schema")
def duplicate_id(graph):
    graph["nodes"].append(dict(graph["nodes"][0]))


@change("schema", may="topology")
def unknown_kind(graph):
    of_kind(graph, "risk", "outcome")[-1]["kind"] = "banana"


@change("schema")
def belief_of_seven(graph):
    graph["edges"][0]["belief"] = 7


@change("schema provenance")
def quote_without_text(graph):
    graph["edges"][0]["provenance"] = {"source": "brief", "quote": ""}


@change("schema")
def id_with_spaces(graph):
    old = graph["nodes"][0]["id"]
    graph["nodes"][0]["id"] = "the first node"
    for edge in graph["edges"]:
        for end in ("from", "to"):
            edge[end] = "the first node" if edge[end] == old else edge[end]


@change("schema")
def text_for_a_number(graph):
    graph["edges"][0]["weight"] = "heavy"


# Broken shape.


@change("topology", may="coverage provenance")
def no_goal(graph):
    drop(graph, *(node["id"] for node in of_kind(graph, "goal")))


@change("topology")
def undecided_option(graph):
    option, decision = of_kind(graph, "option")[-1]["id"], of_kind(graph, "decision")[0]["id"]
    goal = of_kind(graph, "goal")[0]["id"]
    for edge in graph["edges"]:
        if (edge["from"], edge["to"]) == (decision, option):
            edge["from"] = goal


@change("topology")
def option_without_outcome(graph):
    option, other = (node["id"] for node in of_kind(graph, "option")[:2])
    for edge in graph["edges"]:
        if edge["from"] == option:
            edge["from"] = other


@change("topology", may="provenance coverage")
def two_islands(graph):
    decision = of_kind(graph, "decision")[0]["id"]
    last = of_kind(graph, "option")[-1]["id"]
    graph["edges"] = [edge for edge in graph["edges"] if (edge["from"], edge["to"]) != (decision, last)]


@change("topology")
def goal_upside_down(graph):
    goal, decision = of_kind(graph, "goal")[0]["id"], of_kind(graph, "decision")[0]["id"]
    for edge in graph["edges"]:
        if (edge["from"], edge["to"]) == (goal, decision):
            edge["from"], edge["to"] = decision, goal


# Lost content.


@change("coverage", may="topology provenance")
def option_forgotten(graph):
    option = of_kind(graph, "option")[-1]["id"]
    ends = [edge["to"] for edge in graph["edges"] if edge["from"] == option]
    drop(graph, option, *ends)


@change("coverage", may="topology provenance")
def options_merged(graph):
    first, last = of_kind(graph, "option")[0], of_kind(graph, "option")[-1]
    first["body"] = last["label"]
    for edge in graph["edges"]:
        if edge["from"] == last["id"]:
            edge["from"] = first["id"]
    drop(graph, last["id"])


@change("coverage topology")
def options_filed_as_actions(graph):
    for node in of_kind(graph, "option"):
        node["kind"] = "action"


@change("coverage")
def vague_options(graph):
    for i, node in enumerate(of_kind(graph, "option")):
        node["label"] = f"Possibility {'ABCDEF'[i]}"


@change("coverage", may="provenance")
def figures_left_out(graph):
    strip_figures(graph, "some")


@change("coverage", may="provenance")
def figures_changed(graph):
    strip_figures(graph, "77")


def strip_figures(graph, instead):
    for node in graph["nodes"]:
        node["label"] = re.sub(r"\d[\d.,]*", instead, node["label"])
    for edge in graph["edges"]:
        if "provenance" in edge:
            edge["provenance"]["quote"] = re.sub(r"\d[\d.,]*", instead, edge["provenance"]["quote"])


# Unfounded claims.


@change("provenance")
def quotes_invented(graph):
    for edge in graph["edges"]:
        if "provenance" in edge:
            edge["provenance"]["quote"] = "experts agree that this is the way"


@change("provenance", may="coverage")
def no_grounds_given(graph):
    for edge in graph["edges"]:
        edge.pop("provenance", None)
        edge.pop("provenance_source", None)


@change("provenance", may="coverage")
def one_quote_dropped(graph):
    edge = next(edge for edge in graph["edges"] if "provenance" in edge)
    del edge["provenance"], edge["provenance_source"]


@change("schema topology coverage provenance")
def everything_wrong(graph):
    drop(graph, *(node["id"] for node in of_kind(graph, "goal", "option")))
    graph["nodes"].append({"id": "?", "kind": "idea", "label": "Just do it"})
    for edge in graph["edges"]:
        edge.pop("provenance", None)
        edge.pop("provenance_source", None)


def changed_answers():
    """Every (case id, change, answer)."""
    for case_id in GOOD:
        for each in CHANGES:
            answer = deepcopy(good_answer(case_id))
            each.apply(answer["graph"])
            yield case_id, each, answer
