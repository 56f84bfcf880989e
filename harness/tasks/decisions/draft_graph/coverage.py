"""Coverage: how much of what the brief puts on the table the graph puts on the table too.

High: an option node of its own for every option, in any wording that keeps most of its telling words, and
every figure somewhere in the graph, in any notation. Low: options merged into one node, left out, or filed
under another kind; figures dropped or changed. Options and figures weigh the same, one item each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.tasks.decisions.draft_graph.graph import Graph, NodeKind
from harness.tasks.decisions.language.figures import missing_figures
from harness.tasks.decisions.language.matching import options_held


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was looked for and what was missed. `share` is None when there was nothing to look for."""

    share: float | None
    wanted: int
    missing_options: tuple[str, ...]
    missing_figures: tuple[str, ...]


def coverage(graph: Graph, options: Sequence[str], figures: Sequence[str]) -> Coverage:
    """Share 0..1 of options and figures that the graph holds; None when there are none of either."""
    held = options_held([node.text for node in graph.nodes if node.kind == NodeKind.OPTION], options)
    missing_options = tuple(option for index, option in enumerate(options) if index not in held)
    lost_figures = missing_figures(" ; ".join(_texts(graph)), figures)
    wanted = len(options) + len(figures)
    missed = len(missing_options) + len(lost_figures)
    return Coverage(
        share=(wanted - missed) / wanted if wanted else None,
        wanted=wanted,
        missing_options=missing_options,
        missing_figures=lost_figures,
    )


def _texts(graph: Graph) -> list[str]:
    quotes = (edge.provenance.quote for edge in graph.edges if edge.provenance)
    return [*(node.text for node in graph.nodes), *dict.fromkeys(quotes)]
