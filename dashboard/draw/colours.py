"""The colours of every page: what each stands for, once.

Green, amber and red say a status and nothing else. A provider, and a strategy, keeps its colour on all pages.
All are at least 3:1 on white and on the dark theme's background; text is drawn in `ink()`.
"""

import hashlib
from collections.abc import Iterable

import streamlit as st

GOOD, CAUTION, BAD = "#15803d", "#b45309", "#dc2626"
NONE = "#64748b"
STATUS = {
    "PASS": GOOD,
    "ok": GOOD,
    "resolved": GOOD,
    "INCONCLUSIVE": CAUTION,
    "FAIL": BAD,
    "firing": BAD,
    "no_data": NONE,
}
"""By the word that stands beside the colour."""

PROVIDERS = {
    "anthropic": "#8b5cf6",
    "openai": "#0891b2",
    "gemini": "#db2777",
    "bedrock": "#a16207",
    "fixtures": NONE,
    "unknown": NONE,
}
OTHERS = ("#4f7cff", "#c026d3", "#0d9488", "#e11d7b", "#7c6f64", "#6366f1", "#a16207", "#0e86ad")
"""For whatever else has a name; none is a status."""

QUANTILES = {"p50": "#0b93d1", "p95": "#2563eb", "p99": "#7c5cd6"}
TIERS = {"high": "#0b7069", "medium": "#3f9f95", "low": "#95887e", "ungraded": "#8593a8"}
ROLES = {"draft": "#5b6b82", "repair": "#8496b0"}
LIMIT = BAD
FAILED_BARS = "rgba(220,38,38,0.35)"


def ink() -> str:
    """Axis text, and lines that only help: 7:1 or more on the theme's background."""
    return "#cbd5e1" if st.context.theme.type == "dark" else "#475569"


def provider_colour(provider: str) -> str:
    """The provider's colour on every page: fixed for the known ones, else by the name of whatever it is."""
    return PROVIDERS.get(provider) or _by_name(provider)


def colours_of(names: Iterable[str], known: Iterable[str] = ()) -> dict[str, str]:
    """A colour for each name, of strategies, models or runs: no two share one while there are enough.

    Args:
        names: that are to be drawn.
        known: all names that the store has, so that a name keeps its colour where others are not drawn.
    """
    found: dict[str, str] = {}
    free = list(OTHERS)
    wanted = sorted(set(names))
    for name in [*sorted(set(known)), *(name for name in wanted if name not in set(known))]:
        colour = PROVIDERS.get(name) or _by_name(name)
        if colour in found.values() and free:
            colour = free[0]
        found[name] = colour
        if colour in free:
            free.remove(colour)
    return {name: found[name] for name in wanted}


def _by_name(name: str) -> str:
    digest = hashlib.sha256(name.encode()).digest()
    return OTHERS[digest[0] % len(OTHERS)]
