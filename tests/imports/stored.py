"""What an import left in the store."""

from pathlib import Path
from typing import Any

from harness.store import open_store


def rows(store: Path, query: str) -> list[tuple[Any, ...]]:
    """The answer of a query over the store."""
    with open_store(store).snapshot() as view:
        return view.rows(query)
