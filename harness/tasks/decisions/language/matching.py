"""Which text speaks of which option, whatever the wording: one text for one option, as many as possible."""

from collections.abc import Mapping, Sequence

from harness.tasks.decisions.language.wording import key_stems, stem_share

MIN_STEM_SHARE = 0.6
"""A text speaks of an option when it holds this share of the option's telling words."""


def options_held(texts: Sequence[str], options: Sequence[str]) -> Mapping[int, int]:
    """Which option is held by which text: as many pairs as possible, each text for one option only.

    Returns:
        The index of the text by the index of the option.
    """
    stems = [key_stems(text) for text in texts]
    fitting = []
    for option in options:
        wanted = key_stems(option)
        shares = [(stem_share(wanted, found), i) for i, found in enumerate(stems)]
        fitting.append([i for share, i in sorted(shares, reverse=True) if share >= MIN_STEM_SHARE])
    holder: dict[int, int] = {}
    for index in range(len(options)):
        _assign(index, fitting, holder, set())
    return {index: text for text, index in holder.items()}


def _assign(option: int, fitting: Sequence[Sequence[int]], holder: dict[int, int], tried: set[int]) -> bool:
    """Kuhn's augmenting path: give the option a text, moving earlier options where they can move."""
    for text in fitting[option]:
        if text in tried:
            continue
        tried.add(text)
        if text not in holder or _assign(holder[text], fitting, holder, tried):
            holder[text] = option
            return True
    return False
