"""Coverage: how much of what the brief puts on the table the graph puts on the table too.

High: an option node of its own for every option, in any wording that keeps most of its telling words, and
every figure somewhere in the graph, in any notation. Low: options merged into one node, left out, or filed
under another kind; figures dropped or changed. Options and figures weigh the same, one item each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.tasks.draft_graph.graph import Graph, NodeKind
from harness.tasks.figures import missing_figures
from harness.tasks.wording import key_stems, stem_share

MIN_STEM_SHARE = 0.6
"""An option counts as named when this share of its telling words stands in one node."""


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
    quotes = [edge.provenance.quote for edge in graph.edges if edge.provenance]
    return [node.text for node in graph.nodes] + quotes


def options_held(texts: Sequence[str], options: Sequence[str]) -> Mapping[int, int]:
    """Which option is held by which text: as many pairs as possible, each text for one option only.

    Returns:
        The index of the text by the index of the option.
    """
    stems = [key_stems(text) for text in texts]
    fitting = []
    for option in options:
        wanted = key_stems(option)
        shares = [(stem_share(wanted, found), i) for i, found in enumerate(stems)]
        fitting.append([i for share, i in sorted(shares, reverse=True) if share >= MIN_STEM_SHARE])
    holder: dict[int, int] = {}
    for index in range(len(options)):
        _assign(index, fitting, holder, set())
    return {index: text for text, index in holder.items()}


def _assign(option: int, fitting: Sequence[Sequence[int]], holder: dict[int, int], tried: set[int]) -> bool:
    """Kuhn's augmenting path: give the option a text, moving earlier options where they can move."""
    for text in fitting[option]:
        if text in tried:
            continue
        tried.add(text)
        if text not in holder or _assign(holder[text], fitting, holder, tried):
            holder[text] = option
            return True
    return False
