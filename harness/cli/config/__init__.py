"""`harness config`: what was resolved, and from where."""

from harness.cli.lazy import group

app = group(
    __name__,
    {"show": "every resolved value with its origin; keys are masked"},
    """What was resolved, and from where.

    Example: harness config show
    """,
)
