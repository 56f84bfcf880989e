"""`harness alerts rules`: the rules in force."""

import typer

from harness.cli.alerts.options import RulesOption, rules_of
from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_USAGE
from harness.report.tables import plain_table

app = command()


@app.command()
def show_rules(*, rules: RulesOption = None, as_json: JsonOption = False) -> None:
    """The rules in force; exit 2 when one of them is wrong.

    Example: harness alerts rules --rules my-rules.yaml
    """
    known = rules_of(rules)
    if as_json:
        listed = [rule.model_dump(mode="json") for rule in known]
        print_json({"rules": listed, "problems": known.problems})
    else:
        rows = [
            (
                rule.name,
                rule.severity,
                f"{rule.metric} {rule.aggregation}"
                + (" change" if rule.compare == "change" else "")
                + (f" by {rule.group_by}" if rule.group_by else ""),
                _window(rule.window_s),
                f"{rule.direction} {rule.threshold:g}",
                rule.scope.environment or "any",
            )
            for rule in known
        ]
        header = ("rule", "severity", "measures", "over", "fires", "environment")
        out.print(plain_table(header, rows))
    if known.problems:
        raise typer.Exit(EXIT_USAGE)


def _window(seconds: int) -> str:
    return next(
        f"{seconds // size}{unit}" for unit, size in (("h", 3600), ("m", 60), ("s", 1)) if seconds % size == 0
    )
