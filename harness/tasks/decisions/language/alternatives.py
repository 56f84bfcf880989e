"""One sentence's alternatives, split apart and trimmed to what names them."""

import re
from collections.abc import Iterable

from harness.tasks.decisions.language.wording import key_stems, stem_share

MAX_OPTION_WORDS = 14
MAX_OPTIONS = 6

_PARENTHESES = re.compile(r"\s*\([^()]*\)")
_JOINTS = {
    "or": re.compile(r"\s*[,;]?\s+or\s+(?:else\s+)?", re.IGNORECASE),
    "and": re.compile(r"\s*[,;]\s+(?:and|or)\s+|\s+and\s+", re.IGNORECASE),
}
_COMMA = re.compile(r"\s*[,;]\s+")
_SEMICOLON = re.compile(r"\s*;\s+(?:or\s+)?")
_GOES_ON = re.compile(
    r"^(?:which|because|since|as|so|but|if|who|where|when|while|whose|with|without|of|and|that|about|roughly"
    r"|minimum|at|for|all|including|usually|last|not|no)\b|^[\d€$£]",
    re.IGNORECASE,
)
"""A piece that begins so belongs to the piece before it."""

_LEAD = re.compile(
    r"^(?:to|or|and|either|whether|that|we|i|by|should|could|can|may|might|do(?! no|ing)|does|then|just|be|"
    r"is|choose|pick|it (?:better|best|wiser|cheaper) to"
    r"|(?:the|a) \w+ (?:way|option|idea|alternative) is(?: to)?"
    r"|first|second|third|alternatively)\s+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s+(?:because|so that|given|since|although|though|which|while|knowing|unless|before|as it|as we"
    r"|until the end)\b.*$|\s*[:;–—].*$|\s+-\s+.*$"  # noqa: RUF001
    r"|[,]?\s+(?:and|but)\s+(?:hope|see|look|learn|covers|brings|brought|takes)\b.*$|[.?!](?:\s.*)?$",
    re.IGNORECASE | re.DOTALL,
)


def split_alternatives(text: str, joint: str) -> list[str]:
    """The alternatives of a clause.

    Args:
        text: what follows the word that announces a choice, up to the sentence's end.
        joint: the word before the last alternative, `or` or `and`.
    """
    plain = _PARENTHESES.sub("", text)
    if _SEMICOLON.search(plain) and (len(_SEMICOLON.findall(plain)) > 1 or joint == "and"):
        return _SEMICOLON.split(plain)
    parts = _JOINTS[joint].split(plain)
    if len(parts) < 2:
        return parts
    listed = [piece for part in parts[:-1] for piece in _comma_pieces(part)]
    return [*listed, parts[-1]]


def _comma_pieces(part: str) -> list[str]:
    """`A, B` as two pieces, an afterthought left with what it belongs to."""
    pieces: list[str] = []
    for piece in _COMMA.split(part):
        is_scrap = len(key_stems(piece)) < 2 and pieces and len(pieces[-1].split()) > 3
        if pieces and (_GOES_ON.match(piece) or is_scrap):
            pieces[-1] += f", {piece}"
        elif piece:
            pieces.append(piece)
    return pieces


def cleaned(option: str) -> str:
    """The alternative without lead-in words, afterthoughts and closing marks; at most 14 words."""
    text = _PARENTHESES.sub("", option).strip(" \t\"'.,;:?!*-")
    before = None
    while before != text:
        before, text = text, _LEAD.sub("", text)
    text = _TAIL.sub("", text)
    pieces = _comma_pieces(text)
    if pieces and len(pieces[0].split(",")[0].split()) >= 2:
        text = pieces[0].split(",")[0]
    return " ".join(text.split()[:MAX_OPTION_WORDS]).strip(" \t\"'.,;:?!-")


def distinct(options: Iterable[str]) -> tuple[str, ...]:
    """Alternatives that say something, none a restatement of an earlier one; at most six."""
    kept: list[str] = []
    for option in options:
        stems = key_stems(option)
        restated = any(stem_share(stems, key_stems(other)) == 1 and len(stems) > 1 for other in kept)
        if stems and not restated and option.lower() not in {other.lower() for other in kept}:
            kept.append(option)
    return tuple(kept[:MAX_OPTIONS])
