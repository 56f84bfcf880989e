"""`harness prices`: list, show and check the prices of models."""

from harness.cli.prices.group import app

__all__ = ["app"]
