"""`harness scenarios`: what load can ask of a service, and how its answer is read."""

from harness.cli.lazy import group

app = group(
    __name__,
    {
        "list": "the scenarios there are, and what each asks",
        "show": "one scenario as its file has it",
        "check": "send one request and show what was found where",
        "from-curl": "a first file from a curl command",
    },
    """Scenarios: what `harness baseline` asks of a service, and how its answer is read.

    Example: harness scenarios check mine.yaml --target http://127.0.0.1:8000
    """,
)
