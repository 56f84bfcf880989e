"""Every figure there is, found by folder: a new one is an entry in one of these files, or in a new one."""

import importlib
import pkgutil
from functools import cache

from harness.figures.declaration import Figure

_ORDER = ("latency", "streaming", "reliability", "quality", "cost")
"""Files in reading order; others follow by name."""


@cache
def all_figures() -> tuple[Figure, ...]:
    """The figures in reading order.

    Raises:
        ValueError: two share a name.
    """
    names = sorted(
        (entry.name for entry in pkgutil.iter_modules(__path__)),
        key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name),
    )
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    figures = tuple(figure for module in modules for figure in module.FIGURES)
    if len({figure.name for figure in figures}) < len(figures):
        raise ValueError("two figures share a name")
    return figures


def figure_named(name: str) -> Figure:
    """The figure of that name.

    Raises:
        KeyError: there is none.
    """
    return {figure.name: figure for figure in all_figures()}[name]
