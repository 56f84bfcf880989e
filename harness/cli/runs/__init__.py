"""`harness runs`: list, show, publish, re-price and prune."""

from harness.cli.lazy import group

app = group(
    __name__,
    {
        "list": "the runs of the store, latest first, with their last verdict",
        "show": "every figure of one run, each with its n and interval",
        "publish": "a run's report, where the gate in CI reads it",
        "reprice": "what a run's recorded tokens cost at other prices",
        "prune": "remove runs with all their rows",
    },
    "What is in the store, and what one run's figures are.",
)
