"""`harness suites`: write, list and check suites."""

from harness.cli.lazy import group

app = group(
    __name__,
    {
        "init": "a suite for a data set of your own, which runs as it is",
        "list": "the suites there are, with their cases and graders",
        "check": "everything that a suite says, held against its data set; nothing is sent",
    },
    """Suites: which questions are asked, and what makes an answer good.

    Example: harness suites init support --data questions.csv --prompt '{question}' --expected answer
    """,
)
