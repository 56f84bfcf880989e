"""What can be read in a brief without any model: sentences, options, figures, risks."""

import re
from dataclasses import dataclass
from functools import lru_cache

FIGURE = re.compile(
    r"(?:[$€£]\s?)?(?<![\w.])\d[\d,]*(?:\.\d+)?"
    r"(?:\s?(?:%|percent\b|bn\b|billion\b|million\b|thousand\b|[kKmM]\b))?"
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_LISTS = tuple(
    re.compile(rf"^\s*{mark}\s+(.+)$", re.MULTILINE)
    for mark in (r"[Oo]ption \w+\s*[:.-]", r"\(?\d{1,2}[.)]", r"\(?[a-dA-D][.)]", r"[-*•]")
)
_SERIES = (
    re.compile(r"\b(?:First|Second|Third|Fourth)(?:ly)?,\s+([^.;]+)"),
    re.compile(r"\b(?:We|I) could (?:also )?([^.;?]+)"),
    re.compile(r"\b\w+ (?:wants|proposes|suggests|favours|prefers)\s+([^.;:]+)"),
)
_INLINE_MARK = re.compile(r"(?:\(\d\)|\([a-dA-D]\)|\b[Oo]ption (?:[A-D]|\d|one|two|three|four)\s*[:,-]?)\s+")
_UNTIL_STOP = r"(?=[.?!](?:\s|$)|$)"
_LEAD_INS = (
    r"\b(?:options|alternatives|choices)\b[^:.?!]{0,60}(?::|\bare\b|\binclude\b)\s+(.{8,400}?)" + _UNTIL_STOP,
    r"\b(?:between|either|whether(?: we should| to)?|choos(?:e|ing)|decid(?:e|ing))\s+"
    r"(?:between\s+|whether to\s+)?(.{6,300}?\b(?:or|and|versus|vs\.?)\s.{3,200}?)" + _UNTIL_STOP,
    r"\b(?:should|could|can|may|might) (?:we|i|they|the \w+)\s+(.{6,300}?\bor\s.{3,200}?)" + _UNTIL_STOP,
    r"([^.?!:]{4,160}?\s(?:versus|vs\.?)\s[^.?!]{3,160})",
    r"([^.?!:]{4,240}?,?\sor\s[^.?!]{3,160})",
)
_CHOICES = tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in _LEAD_INS)
_SEPARATOR = re.compile(
    r";\s*(?:or\s+|and\s+)?|,\s+(?:or|and)\s+|,\s+(?=\S)|\s+(?:or|versus|vs\.?)\s+", re.IGNORECASE
)
_PAIR = re.compile(r"\s+and\s+", re.IGNORECASE)
_RISK = re.compile(
    r"\b(risk|churn|fail|delay|lose|loss|outage|penalt|fine|breach|shortage|worry|concern|threat|downside)",
    re.IGNORECASE,
)
_LEAD = re.compile(r"^(?:to|or|and|either|whether|that|we|by|between|should we|could)\s+", re.IGNORECASE)
MAX_OPTIONS = 4
MAX_READ = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefFacts:
    """What a brief says, in its own words."""

    sentences: tuple[str, ...]
    goal: str
    options: tuple[str, ...]
    figures: tuple[str, ...]
    risks: tuple[str, ...]

    def sentence_with(self, phrase: str) -> str:
        """The first sentence that contains the phrase; the goal's sentence when none does."""
        low = phrase.lower()
        return next((sentence for sentence in self.sentences if low in sentence.lower()), self.goal)


@lru_cache(maxsize=1024)
def read_brief(text: str) -> BriefFacts:
    """Everything readable in the first `MAX_READ` characters; always a goal and at least two options."""
    text = text[:MAX_READ]
    sentences = tuple(part.strip() for part in _SENTENCE_END.split(text) if part.strip())
    goal = next(
        (
            s
            for s in sentences
            if re.search(r"\b(goal|aim|want|need|target|objective|must)\b", s, re.IGNORECASE)
        ),
        sentences[0] if sentences else "Reach the goal",
    )
    figures = tuple(dict.fromkeys(match.strip().rstrip(",") for match in FIGURE.findall(text)))
    risks = tuple(s for s in sentences if _RISK.search(s) and s != goal)
    return BriefFacts(
        sentences=sentences, goal=goal, options=_options(text, sentences), figures=figures, risks=risks
    )


def _options(text: str, sentences: tuple[str, ...]) -> tuple[str, ...]:
    for reading in (_listed, _in_series, _after_or, _chosen_between):
        found = [item for item in dict.fromkeys(map(_clean, reading(text, sentences))) if len(item) > 2]
        if len(found) >= 2:
            return tuple(found[:MAX_OPTIONS])
    return (_clean(sentences[0] if sentences else "the proposal"), "Keep the present course")


def _listed(text: str, sentences: tuple[str, ...]) -> list[str]:  # noqa: ARG001 - readings share a signature
    """Items of a numbered, lettered or bulleted list, or marked (a), (b) within a sentence."""
    lists = (pattern.findall(text) for pattern in _LISTS)
    items = next((found for found in lists if len(found) >= 2), [])
    return items or _INLINE_MARK.split(text)[1:]


def _in_series(text: str, sentences: tuple[str, ...]) -> list[str]:  # noqa: ARG001
    """`First, ... Second, ...`; `We could ... We could ...`; `The editor wants ...`."""
    return next((found for found in (p.findall(text) for p in _SERIES) if len(found) >= 2), [])


def _after_or(text: str, sentences: tuple[str, ...]) -> list[str]:  # noqa: ARG001
    """Whole sentences joined by `Or`: the one before the first, and each that starts with it."""
    starts = [index for index, sentence in enumerate(sentences) if re.match(r"Or\b", sentence)]
    if not starts or starts[0] == 0:
        return []
    first = sentences[starts[0] - 1]
    return (
        [*_split_choices(first)[:2], *(sentences[index] for index in starts)]
        if "," in first
        else [first, *(sentences[index] for index in starts)]
    )


def _chosen_between(text: str, sentences: tuple[str, ...]) -> list[str]:  # noqa: ARG001
    """Alternatives in one sentence: `should we A, B or C`, `between A and B`, `A versus B`."""
    for pattern in _CHOICES:
        match = pattern.search(text)
        found = _split_choices(match.group(1)) if match is not None else []
        if len(found) >= 2:
            return found
    return []


def _split_choices(text: str) -> list[str]:
    parts = [_clean(part) for part in _SEPARATOR.split(text)]
    if len([part for part in parts if part]) < 2:
        parts = [_clean(part) for part in _PAIR.split(text, maxsplit=1)]
    return [part for part in parts if part]


def _clean(text: str) -> str:
    text = re.split(r"[.;?!](?:\s|$)|\n", text.strip(), maxsplit=1)[0].strip(" ,:;-")
    previous = None
    while previous != text:
        previous, text = text, _LEAD.sub("", text)
    return text[:120].strip()
