"""A model's own confidence, and how the rounds of clarifying ended; both tasks say it the same way."""

from typing import Any

CONFIDENT_MIN = 0.8
"""A model at least this sure of itself asks nothing more."""

LEFT_OUT = "the model's confidence was not a number from 0 to 1 and is left out"


def read_confidence(value: Any) -> tuple[float | None, tuple[str, ...]]:
    """The confidence 0..1, or None with a note when something else was said; never computed."""
    if value is None:
        return None, ()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None, (LEFT_OUT,)
    return float(value), ()


def clarifier_status(confidence: float | None, *, finished_by_rule: bool) -> str:
    """How the rounds of clarifying ended.

    Returns:
        `max_rounds` when the rounds ran out and a deterministic repair finished the answer, `confident` when
        the model's own confidence is at least 0.8, else `complete`.
    """
    if finished_by_rule:
        return "max_rounds"
    return "confident" if confidence is not None and confidence >= CONFIDENT_MIN else "complete"
