"""What the commands that judge strategies share."""

from typing import Annotated

import typer

from harness.errors import UsageError

StrategyOption = Annotated[list[str] | None, typer.Option(help="Only these strategies; may be repeated.")]
CaseOption = Annotated[
    list[str] | None,
    typer.Option("--case", help="Only cases of this id or pattern, as in 'pricing-*'; may be repeated."),
]
ByOption = Annotated[
    str, typer.Option("--by", help="strategy, or model: each model's drafts for themselves.")
]
ConfidenceOption = Annotated[float, typer.Option(help="Of the intervals, as in 0.95.")]


def require_confidence(confidence: float) -> None:
    """Refuse a percentage where a ratio is meant, and what is no confidence at all.

    Raises:
        UsageError: not between 0.5 and 1.
    """
    if not 0.5 < confidence < 1.0:
        raise UsageError(f"--confidence must be between 0.5 and 1, as in 0.95, not {confidence:g}")


def require_by(by: str) -> str:
    """What stands side by side.

    Raises:
        UsageError: neither strategy nor model.
    """
    if by not in ("strategy", "model"):
        raise UsageError(f"--by '{by}': strategy or model")
    return by
