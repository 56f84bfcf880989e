"""What must be said of answers that no service was timed giving, or that nobody paid for now."""

from collections.abc import Sequence

from harness.records import UNTIMED_CONTEXTS, Call, CallOutcome, Role


def answer_notes(calls: Sequence[Call]) -> tuple[str, ...]:
    """A sentence on batched and one on cached calls, each where there are any."""
    sent = _asked(calls)
    notes = []
    for context, sentence in _SENTENCES.items():
        count = sum(call.price_context == context for call in sent)
        if count:
            notes.append(f"{count:,} of {len(sent):,} calls {sentence}")
    return tuple(notes)


def is_untimed(calls: Sequence[Call]) -> bool:
    """True when there are calls, and none of them was timed."""
    sent = _asked(calls)
    return bool(sent) and all(call.price_context in UNTIMED_CONTEXTS for call in sent)


def _asked(calls: Sequence[Call]) -> list[Call]:
    """The calls that were made for answers: judges come after them, and at once."""
    return [call for call in calls if call.outcome is not CallOutcome.REFUSED and call.role is not Role.JUDGE]


_SENTENCES = {
    "batch": "went out in provider batches: at batch prices, and without a latency of their own",
    "cached": (
        "were answered from the response cache: they cost $0 now and have no latency; cost and saving say "
        "what this run paid, not what its strategies cost"
    ),
}
