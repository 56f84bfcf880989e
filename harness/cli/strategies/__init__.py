"""`harness strategies`: list, compare, find the frontier, import."""

from harness.cli.lazy import group

app = group(
    __name__,
    {
        "list": "every strategy file with its routes",
        "compare": "each strategy against one, paired by case",
        "frontier": "which are not beaten, and the cheapest that will do",
        "learn": "a router trained on recorded answers, judged on cases it never saw",
        "import": "recorded outcomes of several models as a run",
    },
    """The mixes of providers that pipeline, service and evaluator can run, and which of them is best.

    Example: harness strategies list
    """,
)
