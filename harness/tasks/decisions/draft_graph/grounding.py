"""Provenance: does each edge say truthfully where it comes from?

High: edges that quote the brief (or an attachment) word for word. Middling: edges that own up to being a
hypothesis, a metric or the engine's, without a quote. Low: nothing said, or a quote that stands nowhere.
"""

from collections.abc import Sequence

from harness.tasks.decisions.draft_graph.graph import Edge, Graph, ProvenanceSource

OWNED_UP = 0.6
"""Credit for an edge that names a source other than a document and quotes nothing."""

_MIN_QUOTE_CHARS = 8


def provenance_score(graph: Graph, sources: Sequence[str]) -> float:
    """Mean credit of the edges, 0..1; 0 when there are none.

    Args:
        graph: a stabilised graph.
        sources: the texts that may be quoted: the brief and the attachments.
    """
    if not graph.edges:
        return 0.0
    readable = [_plain(text) for text in sources]
    return sum(_credit(edge, readable) for edge in graph.edges) / len(graph.edges)


def _credit(edge: Edge, sources: Sequence[str]) -> float:
    if edge.provenance is not None:
        quote = _plain(edge.provenance.quote)
        # A short brief may be quoted whole; otherwise a scrap of a word proves nothing.
        stands = any(quote in text and len(quote) >= min(_MIN_QUOTE_CHARS, len(text)) for text in sources)
        return float(bool(quote) and stands)
    owned_up = edge.provenance_source not in (None, "", ProvenanceSource.DOCUMENT)
    return OWNED_UP if owned_up else 0.0


def _plain(text: str) -> str:
    """Case, spacing and typographic marks set aside."""
    return " ".join(text.lower().translate(_MARKS).split()).strip(" .'\"")


_MARKS = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "…": ""}
)
