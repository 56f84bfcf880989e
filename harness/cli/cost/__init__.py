"""`harness cost`: of planned calls, and of a recorded run."""

from harness.cli.cost.planned import app

__all__ = ["app"]
