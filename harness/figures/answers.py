"""What must be said of answers that no service was timed giving, or that nobody paid for now."""

from harness.figures.selection import Rows
from harness.records import UNTIMED_CONTEXTS

_SENTENCES = {
    "batch": "went out in provider batches: at batch prices, and without a latency of their own",
    "cached": (
        "were answered from the response cache: they cost $0 now and have no latency; cost and saving say "
        "what this run paid, not what its strategies cost"
    ),
}


def asked_by_context(rows: Rows) -> dict[str, int]:
    """Calls made for the answers of whole runs, by price context; judges come after them, and apart."""
    found = rows.view.rows(
        f"""SELECT price_context, count(*) FROM calls
        WHERE run_id IN (SELECT run_id FROM {rows.tally.table}) AND outcome <> 'refused' AND role <> 'judge'
        GROUP BY price_context"""  # noqa: S608 - the table is the snapshot's own
    )
    return dict(found)


def answer_notes(asked: dict[str, int]) -> tuple[str, ...]:
    """A sentence on batched and one on cached calls, each where there are any."""
    total = sum(asked.values())
    return tuple(
        f"{asked[context]:,} of {total:,} calls {sentence}"
        for context, sentence in _SENTENCES.items()
        if asked.get(context)
    )


def is_untimed(asked: dict[str, int]) -> bool:
    """True when there are calls, and none of them was timed."""
    return bool(asked) and asked.keys() <= UNTIMED_CONTEXTS
