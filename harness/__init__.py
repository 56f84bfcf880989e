"""harness: decide which LLM providers to run in production, and prove it with numbers.

Importing this package opens no file, reads no environment and builds no client.

For notebooks, `harness.open_store("results").requests("latest")` gives a pandas frame.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    from harness.store import Store, open_store

__all__ = ["Store", "__version__", "open_store"]


def __getattr__(name: str) -> Any:
    """Load the store, and with it DuckDB, when a notebook asks for it."""
    if name not in __all__:
        raise AttributeError(f"module 'harness' has no attribute '{name}'")
    return getattr(import_module("harness.store"), name)
