"""Options and figures of a plain-English brief, when no label says them: precision before recall."""

from harness.tasks.base import Labels
from harness.tasks.figures import figures_in


def extracted_labels(brief: str) -> Labels:
    """What a good graph of this brief should hold, as far as the text shows it."""
    return Labels(options=(), figures=[figure.text for figure in figures_in(brief)])
