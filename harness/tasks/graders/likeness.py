"""Graders of how alike a text is to an expected one, without a model: shared words, their order, characters.

Words are runs of letters and digits, in any script and whatever their case; Chinese, Japanese and Korean
characters are words of their own.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import BadOutputError
from harness.tasks.graders.expected import Expectation
from harness.tasks.graders.pointer import MISSING, text_of, value_at
from harness.tasks.grading import GradedAnswer, Part

MAX_TEXT_CHARS = 20_000
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


def word_f1(text: str, reference: str) -> float:
    """F1 of the words that both have, however ordered; 1 for two texts without any, 0 for one without.

    Source: Rajpurkar et al., SQuAD (2016), without its removal of English articles.
    """
    said, wanted = _words(text), _words(reference)
    return _f1(sum((Counter(said) & Counter(wanted)).values()), len(said), len(wanted))


def rouge_l(text: str, reference: str) -> float:
    """F1 of the longest common subsequence of words.

    Source: Lin, ROUGE (2004), sentence level, without stemming.
    """
    from rapidfuzz.distance import LCSseq  # noqa: PLC0415 - only suites that compare texts need it

    said, wanted = _words(text), _words(reference)
    return _f1(int(LCSseq.similarity(said, wanted)), len(said), len(wanted))


def character_likeness(text: str, reference: str) -> float:
    """1 less the share of characters to insert or delete, white space folded, whatever their case."""
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - as above

    folded = [" ".join(side.casefold().split()) for side in (text, reference)]
    return float(Indel.normalized_similarity(*folded))


LIKENESSES: dict[str, Callable[[str, str], float]] = {
    "f1": word_f1,
    "rouge_l": rouge_l,
    "similarity": character_likeness,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LikenessGrader:
    """How alike the text at the pointer is to the expected one, or to the likest of several.

    Attributes:
        measure: a key of `LIKENESSES`.
        enough: the likeness that scores 1; less scores in proportion.
    """

    name: str
    pointer: str
    measure: str
    expected: Expectation
    enough: float

    def grade(self, answer: GradedAnswer) -> Part:
        """See `AnswerGrader.grade`."""
        references = _texts(self.expected.of(answer), self.name)
        found = value_at(answer.payload, self.pointer)
        if found is MISSING:
            return Part(score=0.0, detail={"problem": f"nothing at '{self.pointer}'"})
        said, measure = text_of(found)[:MAX_TEXT_CHARS], LIKENESSES[self.measure]
        likeness = max(measure(said, wanted[:MAX_TEXT_CHARS]) for wanted in references)
        score = min(1.0, round(likeness / self.enough, 6))
        return Part(score=score, detail={"likeness": round(likeness, 6)})


def _texts(expected: Any, name: str) -> Sequence[str]:
    texts = expected if isinstance(expected, list) else [expected]
    if not texts or any(isinstance(text, dict | list) or text is None for text in texts):
        raise BadOutputError(f"the case's expected '{name}' is not a text")
    return [text_of(text) for text in texts]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _f1(shared: int, said: int, wanted: int) -> float:
    if not said or not wanted:
        return float(said == wanted)
    return 2 * shared / (said + wanted)
