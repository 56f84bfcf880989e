"""`harness providers`: what endpoints really do."""

from harness.cli.lazy import group

app = group(
    __name__,
    {"probe": "what an endpoint really does, by one streamed and one whole request"},
    """What endpoints really do.

    Example: harness providers probe openai
    """,
)
