# ruff: noqa: TC004 - `_Package` loads the names
"""harness: decide which LLM providers to run in production, and prove it with numbers.

Importing this package opens no file, reads no environment and builds no client.

For notebooks and tests: `harness.baseline(...)`, `harness.evaluate("smoke")`, `harness.gate("latest")`,
`harness.figures("latest")`, and `harness.open_store("results").requests("latest")`, a pandas frame.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    from harness.api import baseline, evaluate, figures, gate
    from harness.store import Store, open_store

__all__ = ["Store", "__version__", "baseline", "evaluate", "figures", "gate", "open_store"]

_HOMES = {
    "Store": "harness.store",
    "baseline": "harness.api",
    "evaluate": "harness.api",
    "figures": "harness.api",
    "gate": "harness.api",
    "open_store": "harness.store",
}


class _Package(ModuleType):
    """`harness` itself: its names load when asked for, and win over a room of the same name.

    `harness.gate(...)` is the function; `from harness.gate import evaluate_gate` still reads the room.
    """

    def __getattribute__(self, name: str) -> Any:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        return super().__getattribute__(name)


sys.modules[__name__].__class__ = _Package
