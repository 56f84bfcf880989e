"""`harness alerts`: the rules against the store, now, again and again, or over its history."""

from harness.cli.lazy import group

app = group(
    __name__,
    {
        "check": "every rule once; exit 1 while anything fires",
        "watch": "again and again, a line for each change",
        "backtest": "what the rules would have said over the store's history",
        "rules": "the rules in force",
    },
    "Cost spikes, errors, fixtures in production, changed routing.",
)
