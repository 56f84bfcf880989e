"""Numbers written in words: `twenty-five`, `two hundred`, `a dozen`, `half a million`."""

import re
from decimal import Decimal

_UNIT_NAMES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_UNITS = _UNIT_NAMES.split()
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}

_SMALL_WORD = "|".join(sorted(_SMALL, key=len, reverse=True))
_LARGE_WORD = "|".join(_LARGE)

WORDY_NUMBER = (
    rf"(?:half an? (?:{_LARGE_WORD})|an? (?:dozen|{_LARGE_WORD})|dozen"
    rf"|(?:{_SMALL_WORD})(?:(?:[\s-]|\sand\s)(?:{_SMALL_WORD}|{_LARGE_WORD}))*)"
)
"""Regular expression of a number in words, for `re.IGNORECASE`."""


def number_from_words(words: str) -> Decimal | None:
    """The number that English words name; None when they do not name one."""
    text = words.lower()
    if text.startswith("half a"):
        return Decimal(_LARGE[text.split()[-1]]) / 2
    if text.endswith("dozen"):
        return Decimal(12)
    total = part = 0
    for word in re.split(r"[\s-]+", text):
        if word in _SMALL:
            part += _SMALL[word]
        elif word == "hundred":
            part = (part or 1) * 100
        elif word in _LARGE:
            total, part = total + (part or 1) * _LARGE[word], 0
        elif word not in ("and", "a", "an"):
            return None
    return Decimal(total + part)
