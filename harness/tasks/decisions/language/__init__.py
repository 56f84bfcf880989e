"""Plain English reduced to what can be compared: telling words, figures, options."""

from harness.tasks.decisions.language.extraction import extracted_figures, extracted_labels, extracted_options
from harness.tasks.decisions.language.figures import (
    Figure,
    FigureKind,
    figures_in,
    mentions_figure,
    missing_figures,
)
from harness.tasks.decisions.language.matching import options_held
from harness.tasks.decisions.language.wording import key_stems

__all__ = [
    "Figure",
    "FigureKind",
    "extracted_figures",
    "extracted_labels",
    "extracted_options",
    "figures_in",
    "key_stems",
    "mentions_figure",
    "missing_figures",
    "options_held",
]
