"""What the commands that compare strategies share: options, rows, and what must be said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.console import out
from harness.cli.run_source import load_run
from harness.errors import UsageError
from harness.report.comparable import LeftOut
from harness.report.savings import SavingsSide, savings_sides
from harness.report.wording import printable

StrategyOption = Annotated[list[str] | None, typer.Option(help="Only these strategies; may be repeated.")]
CaseOption = Annotated[
    list[str] | None,
    typer.Option("--case", help="Only cases of this id or pattern, as in 'pricing-*'; may be repeated."),
]
ConfidenceOption = Annotated[float, typer.Option(help="Of the intervals, as in 0.95.")]


def recorded_sides(references: Sequence[str], wanted: Sequence[str], store: Path) -> list[SavingsSide]:
    """The sides of runs and reports, only the wanted strategies, in the order wanted.

    Raises:
        UsageError: no counted request, or no such strategy.
    """
    found: list[SavingsSide] = []
    for reference in dict.fromkeys(references):
        loaded = load_run(reference, store)
        found += savings_sides(loaded.run, loaded.requests, loaded.calls)
    if not found:
        raise UsageError(f"no counted request in {', '.join(references)}: nothing to compare")
    names = {side.strategy for side in found}
    for name in wanted:
        if name not in names:
            known = ", ".join(sorted(n for n in names if n)) or "none"
            raise UsageError(f"--strategy '{name}': no request of that strategy (there are: {known})")
    if wanted:
        found = [side for name in dict.fromkeys(wanted) for side in found if side.strategy == name]
    return found


def require_confidence(confidence: float) -> None:
    """Refuse a percentage where a ratio is meant, and what is no confidence at all.

    Raises:
        UsageError: not between 0.5 and 1.
    """
    if not 0.5 < confidence < 1.0:
        raise UsageError(f"--confidence must be between 0.5 and 1, as in 0.95, not {confidence:g}")


def print_notes(banner: str | None, notes: Sequence[str], left_out: Sequence[LeftOut]) -> None:
    """Say above the figures what they rest on and what was left out."""
    for text in ([banner] if banner is not None else []) + list(notes):
        out.print(Text(printable(text), style="bold yellow"))
    for found in left_out:
        out.print(Text(printable(f"left out: {found.name}: {found.reason}"), style="yellow"))
