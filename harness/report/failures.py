"""Why requests of an evaluation failed, in sentences: kinds with their counts, and one example."""

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.records import Request, RequestStatus
from harness.report.wording import printable

_EXAMPLE_CHARS = 160


def failure_notes(requests: Iterable[Request]) -> tuple[str, ...]:
    """One sentence for each strategy that had failures, in the order in which they appear.

    Args:
        requests: of one run; warm-ups are left out.
    """
    sides: dict[str, list[Request]] = {}
    for row in requests:
        if not row.warmup:
            sides.setdefault(row.strategy or "(none)", []).append(row)
    notes = [_note(name, rows) for name, rows in sides.items() if _failed(rows)]
    if sides and not any(answered(rows) for rows in sides.values()):
        return ("no request was answered: there is nothing to compare", *notes)
    return tuple(notes)


def answered(rows: Iterable[Request]) -> int:
    """How many of the requests were answered."""
    return sum(row.status is RequestStatus.OK for row in rows)


def _failed(rows: Sequence[Request]) -> list[Request]:
    return [row for row in rows if row.status is not RequestStatus.OK]


def _note(name: str, rows: Sequence[Request]) -> str:
    failed = _failed(rows)
    kinds = Counter(row.error_kind.value if row.error_kind else row.status.value for row in failed)
    said = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    example = next((row.error_message for row in failed if row.error_message), None)
    shown = "" if example is None else f' (as in "{printable(example)[:_EXAMPLE_CHARS]}")'
    none = "no request was answered: " if len(failed) == len(rows) else ""
    return f"{name}: {none}{len(failed):,} of {len(rows):,} failed: {said}{shown}"
