"""Options and figures of a plain-English brief, when no label says them: precision before recall.

Options come from the first of these that gives at least two: a list whose lead-in announces a choice, marks
in running text, a sentence that puts alternatives side by side, sentences that take turns.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from harness.tasks.base import Labels
from harness.tasks.decisions.language.alternatives import cleaned, distinct, split_alternatives
from harness.tasks.decisions.language.figures import Figure, FigureKind, figures_in, same_figure

MAX_EXTRACTED_FIGURES = 10
"""A graph of twelve nodes is judged by the most telling figures, not by every number of a long text."""

MAX_READ_FIGURES = 120
MAX_SENTENCE_CHARS = 600

_TELLING = (
    FigureKind.MONEY,
    FigureKind.PERCENT,
    FigureKind.DURATION,
    FigureKind.COUNT,
    FigureKind.DATE,
    FigureKind.CLOCK,
)
"""Kinds, the most telling first."""

_ITEM = re.compile(r"^[ \t]*(?:[-*•–]|\(?\d{1,2}[.)]|\(?[a-eA-E][.)])[ \t]+(.+)$")  # noqa: RUF001
_NAMED_ITEM = re.compile(
    r"^[ \t]*(?:option|plan|proposal|variant)\s+\w{1,5}\s*[:.-][ \t]*(.+)$", re.IGNORECASE
)
_ANNOUNCES = re.compile(
    r"\b(?:options?|choices?|alternatives?|ideas?|proposals?|ways|approach(?:es)?|offers?|schemes?|plans|routes|"
    r"paths|either|choose|decide|could|should|on the table|what (?:can|could) be done|between)\b",
    re.IGNORECASE,
)
_ANNOUNCES_FACTS = re.compile(
    r"\b(?:constraints?|requirements?|facts|background|goals?|criteria|conditions|must|risks?|context|today)\b",
    re.IGNORECASE,
)
_INLINE_MARK = re.compile(
    r"(?:^|(?<=[\s,;:]))(?:\((?:[a-e]|[1-6])\)|[1-6]\)|option (?:[a-e]|[1-6])\s?[:,-])\s+", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(\d€$£])|\n\s*\n|\n(?=\s*[-*•(\d])|\?\?+\s*")
_SUBJECT = r"(?:we|i|they|he|she|one|you|the \w+(?: \w+)?|\w+ council|[A-Z]\w+)"

_SIDE_BY_SIDE = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"\b(?:options|choices|alternatives|candidates)\b[^:.?!;]{0,70}?(?::|\bare\b|\binclude\b)\s*(?P<or>.+)",
        r"\bon the table are\b\s*(?P<or>.+)",
        r"\b(?:choose|decide|choosing|deciding|choice|torn|decision)\b[^.?!]{0,25}\bbetween\s+(?P<and>.+)",
        r"\bwhether\s+(?:or not\s+)?(?:to|we should|we)\s+(?P<or>.+\bor\b.+)",
        rf"\b(?:should|shall|do|does|can|could|may|might)\s+{_SUBJECT}\s+(?:now\s+|then\s+)?(?P<or>.+\bor\b.+)\?",
        r"\beither\s+(?P<or>.+\bor\b.+)",
        rf"\b{_SUBJECT}\s+(?:could|can|may|might|must)\s+(?:either\s+)?(?P<or>.+,?\s+or\s+.+)",
        r"\b(?:weighing|considering|debating|comparing)\s+(?P<or>.+)",
        r"^(?:[^:?!.]{3,60}:\s+)(?P<or>.+\bor\b.+)",
        r"^(?P<or>.+\bor\b.+)\?",
        r"^(?P<or>.+(?:,|;)\s+or\s+.+)",
    )
)
_VERSUS = re.compile(r"\s+(?:versus|vs\.?)\s+", re.IGNORECASE)
_COUNTED = re.compile(r"^(?:\w+ ){0,2}\w+:\s+")
"""`three things: ...`; the announcement is no alternative."""

_TURN = re.compile(
    r"^(?:or\s+)?(?:first|second|third|finally|alternatively|or|we could|we can|i can|i could|if we|"
    r"(?:the )?\w+ (?:prefers?|favours?|favors?|wants?))\b[\s,]*"
    r"(?:we could|we can|i can|i could)?\s*(?P<rest>.+)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def extracted_labels(brief: str) -> Labels:
    """What a good graph of this brief should hold, as far as the text shows it; both lists may be empty."""
    return Labels(options=extracted_options(brief), figures=extracted_figures(brief))


def extracted_figures(brief: str) -> tuple[str, ...]:
    """At most ten figures in the order of the brief; small counts in words are left out."""
    found: list[Figure] = []
    for figure in figures_in(brief)[:MAX_READ_FIGURES]:
        is_small_word = figure.kind == FigureKind.COUNT and figure.value < 10 and figure.text[0].isalpha()
        if not is_small_word and not any(same_figure(figure, other) for other in found):
            found.append(figure)
    ranked = sorted(found, key=lambda figure: (_TELLING.index(figure.kind), figure.start))
    kept = sorted(ranked[:MAX_EXTRACTED_FIGURES], key=lambda figure: figure.start)
    return tuple(_as_label(figure) for figure in kept)


def _as_label(figure: Figure) -> str:
    """The figure as written, a range's first half with the unit it took from the second."""
    reread = figures_in(figure.text)
    if len(reread) == 1 and same_figure(figure, reread[0]):
        return figure.text
    if figure.kind == FigureKind.PERCENT:
        return f"{figure.text}%"
    if figure.kind == FigureKind.DURATION:
        return f"{figure.value.normalize():f} {figure.unit}s"
    if figure.kind == FigureKind.MONEY:
        return f"{figure.unit or '$'} {figure.value.normalize():f}"
    return figure.text


def extracted_options(brief: str) -> tuple[str, ...]:
    """The options that the text puts side by side, in its own words; fewer than two are none."""
    text = _folded(brief)
    for found in (_listed(text), _marked(text), _side_by_side(text), _taking_turns(text)):
        options = distinct(cleaned(text) for text in found)
        if len(options) >= 2:
            return options
    return ()


def _folded(text: str) -> str:
    """Long runs of white space shortened: patterns that begin with some would try each of them anew."""
    return re.sub(r"\n[\n \t]*\n", "\n\n", re.sub(r"[^\S\n]{2,}", "  ", text))


def _listed(brief: str) -> list[str]:
    """Items of the first list that a lead-in announces as a choice, or that name themselves options."""
    lines = brief.split("\n")
    named = [match[1] for line in lines if (match := _NAMED_ITEM.match(line))]
    if len(named) >= 2:
        return named
    lead_in, items = "", list[str]()
    for line in [*lines, ""]:
        match = _ITEM.match(line)
        if match:
            items.append(match[1])
        elif line.strip() or len(items) >= 2:
            if len(items) >= 2 and _announces_choice(lead_in):
                return items
            lead_in, items = line if line.strip() else lead_in, []
    return []


def _announces_choice(lead_in: str) -> bool:
    if _ANNOUNCES.search(lead_in) or lead_in.rstrip().endswith("?"):
        return True
    return lead_in.rstrip().endswith(":") and not _ANNOUNCES_FACTS.search(lead_in)


def _marked(brief: str) -> list[str]:
    """Pieces after (a), (b) or 1), 2) in running text; each ends at its sentence's end or a semicolon."""
    marks = list(_INLINE_MARK.finditer(brief))
    if len(marks) < 2:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(brief)]
    return [
        re.split(r"[.;?!](?:\s|$)|\n", brief[mark.end() : end])[0]
        for mark, end in zip(marks, ends, strict=True)
    ]


def sentences_of(brief: str) -> list[str]:
    """The sentences of a brief, each in one line; of an endless one the beginning."""
    return [
        " ".join(part.split())[:MAX_SENTENCE_CHARS]
        for part in _SENTENCE_END.split(_VERSUS.sub(", or ", brief))
        if part and part.strip()
    ]


def _side_by_side(brief: str) -> Sequence[str]:
    sentences = sentences_of(brief)
    for pattern in _SIDE_BY_SIDE:
        for sentence in sentences:
            match = pattern.search(sentence)
            if match is None:
                continue
            said = match.groupdict()
            joint, text = ("and", said["and"]) if said.get("and") else ("or", said.get("or") or "")
            pieces = split_alternatives(_COUNTED.sub("", text), joint)
            if len(distinct(cleaned(piece) for piece in pieces)) >= 2:
                return pieces
    return []


def _taking_turns(brief: str) -> list[str]:
    return [text for sentence in sentences_of(brief) for text in _turn(sentence)]


def _turn(sentence: str) -> Iterator[str]:
    match = _TURN.match(sentence)
    if match and "?" not in sentence:
        yield match["rest"]
