"""What part of the store a page shows: one kind of run and one provider mode at a time, then the filters.

Nothing is aggregated over run kinds or provider modes: a live second and an emulated one do not add up.
"""

from harness.figures.selection import Selection
from harness.figures.sides import KIND_ORDER, MODE_ORDER

Scope = Selection

__all__ = ["KIND_ORDER", "MODE_ORDER", "Scope"]
