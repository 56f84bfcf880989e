"""Wording reduced to what two phrasings of one thing share: lower-case stems without filler words."""

import re
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9]+(?:['\u2019][a-z]+)?")

_FILLER_WORDS = """
a an the this that these those our your their its his her my we us they it he she i you of to in on at
by for from with without into onto over under as and or nor but if then than so is are was were be been
being do does did have has had will would could should can may might must shall not no yes just only
also too very more most much many some any all both each every either neither option options choice
alternative whether between about around up out off down again still now here there who what which when
where how let
"""
_FILLER = frozenset(_FILLER_WORDS.split())

_SUFFIXES = (
    "ingly",
    "edly",
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ies",
    "ied",
    "ed",
    "es",
    "s",
)


@lru_cache(maxsize=4096)
def key_stems(text: str) -> frozenset[str]:
    """The stems of a text's telling words; empty when it has none.

    `Hiring two contractors` and `hire 2 contractors` share all but the number.
    """
    words = _WORD.findall(text.lower().replace("-", " "))
    return frozenset(stem_of(_bare(word)) for word in words if _bare(word) not in _FILLER)


def _bare(word: str) -> str:
    return _MARK.split(word, maxsplit=1)[0]


_MARK = re.compile(r"['\u2019]")


@lru_cache(maxsize=8192)
def stem_of(word: str) -> str:
    """A word without its common English endings; at least three letters stay."""
    if word.isdigit():
        return word
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.rstrip("ey") if len(word.rstrip("ey")) >= 3 else word


def stem_share(wanted: frozenset[str], found: frozenset[str]) -> float:
    """Share 0..1 of the wanted stems that were found; 0 when nothing is wanted."""
    return len(wanted & found) / len(wanted) if wanted else 0.0
