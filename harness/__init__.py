"""harness: decide which LLM providers to run in production, and prove it with numbers.

Importing this package opens no file, reads no environment and builds no client.
"""

from harness.version import __version__

__all__ = ["__version__"]
