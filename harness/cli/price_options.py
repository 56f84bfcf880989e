"""Options that every command about prices shares."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import UsageError

PricesOption = Annotated[
    Path | None,
    typer.Option(
        "--prices", envvar="HARNESS_PRICES", help="A price overrides file; it goes before all others."
    ),
]
AtOption = Annotated[str | None, typer.Option("--at", help="Prices as of this date (ISO 8601, UTC).")]


def parse_moment(text: str | None) -> datetime | None:
    """A date, or a date and time, as an aware moment; without a zone it is UTC.

    Raises:
        UsageError: not a date.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--at '{text}': expected a date like 2026-03-13") from error
