"""Documents held against each other without the last digits, in which a database's parallel sums may differ."""

from decimal import Decimal
from typing import Any


def near(value: Any) -> Any:
    """The document with every number rounded to nine digits."""
    if isinstance(value, dict):
        return {name: near(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [near(inner) for inner in value]
    return float(f"{value:.9g}") if isinstance(value, float | Decimal) else value
