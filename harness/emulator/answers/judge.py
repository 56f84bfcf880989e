"""A judge of known leanings: it rewards coverage of the brief's facts, what comes first, and length."""

import re
from dataclasses import dataclass
from typing import Any

from harness.emulator.answers.brief import FIGURE
from harness.emulator.draws import Draws


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeLeanings:
    """What sways a judge besides the share of the brief's figures that an answer holds (0..1).

    Attributes:
        first_place: added to the answer that stands first of two.
        length: added to the longer of two.
        noise: width of the chance added to each answer, drawn anew for each question.
        tie: merits closer than this are a tie.
    """

    first_place: float = 0.05
    length: float = 0.03
    noise: float = 0.1
    tie: float = 0.01


DEFAULT_LEANINGS = JudgeLeanings()
_CANDIDATE = re.compile(
    r"<(answer|candidate|output|response)(?:_?([ab12]))?>(.*?)</\1(?:_?\2)?>", re.IGNORECASE | re.DOTALL
)
_WINNERS = ("winner", "verdict", "preferred", "preference", "choice", "better")
_SCORES = ("score", "rating", "grade")


def candidates_in(text: str) -> list[tuple[str, str]]:
    """The (label, text) of each answer between answer tags; empty when no judgement is asked for."""
    return [(label.upper(), body) for _, label, body in _CANDIDATE.findall(text)]


def judge_answer(
    text: str, candidates: list[tuple[str, str]], draws: Draws, leanings: JudgeLeanings = DEFAULT_LEANINGS
) -> dict[str, Any]:
    """Score one candidate 0..1, or choose between two; the noise is the request's own."""
    wanted = set(FIGURE.findall(_CANDIDATE.sub("", text)))
    merits = [
        _coverage(body, wanted) + leanings.noise * (draws.uniform(f"judge {place}") - 0.5)
        for place, (_, body) in enumerate(candidates)
    ]
    if len(candidates) < 2:
        score = round(min(1.0, max(0.0, merits[0])), 2)
        return {"score": score, "passed": score >= 0.7, "reason": "Covers most of what the brief states."}
    longer = max(range(2), key=lambda place: len(candidates[place][1]))
    merits[0] += leanings.first_place
    merits[longer] += leanings.length
    best = 0 if merits[0] >= merits[1] else 1
    tie = abs(merits[0] - merits[1]) < leanings.tie
    label = candidates[best][0] or "AB"[best]
    return {"winner": "tie" if tie else label, "reason": f"{label} covers the stated facts better."}


def verdict_of(judgement: dict[str, Any]) -> str:
    """What the ledger keeps of a judgement: the winner's label, `tie`, or the score before any scale."""
    return str(judgement.get("winner", judgement.get("score")))


def judgement_in_schema(judgement: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The judgement under the names, enums and scales that the schema uses, nested objects included."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return judgement
    fit: dict[str, Any] = {}
    for name, found in properties.items():
        rule = found if isinstance(found, dict) else {}
        if any(word in name.lower() for word in _WINNERS) and "winner" in judgement:
            fit[name] = _in_enum(judgement["winner"], rule.get("enum"))
        elif any(word in name.lower() for word in _SCORES) and "score" in judgement:
            fit[name] = _scaled(judgement["score"], rule)
        elif name in judgement:
            fit[name] = judgement[name]
        elif isinstance(rule.get("properties"), dict):
            fit[name] = judgement_in_schema(judgement, rule)
        elif rule.get("type") == "string" and "enum" not in rule:
            fit[name] = judgement["reason"]
    return fit


def _scaled(score: float, rule: dict[str, Any]) -> float:
    """A score 0..1 on the scale of the rule: its enum's range, else its bounds, else 0..1."""
    steps = [step for step in rule.get("enum") or () if isinstance(step, int | float)]
    if steps:
        low, high = min(steps), max(steps)
        wanted = low + (high - low) * score
        return min(steps, key=lambda step: abs(step - wanted))
    low, high = float(rule.get("minimum", 0)), float(rule.get("maximum", 1))
    scaled = low + (high - low) * score
    return round(scaled) if rule.get("type") == "integer" else round(scaled, 3)


def _coverage(body: str, wanted: set[str]) -> float:
    return sum(figure in body for figure in wanted) / len(wanted) if wanted else 0.8


def _in_enum(winner: str, enum: Any) -> str:
    if not isinstance(enum, list):
        return winner
    same = [value for value in enum if isinstance(value, str) and value.upper() == winner.upper()]
    ends = [value for value in enum if isinstance(value, str) and value.upper().endswith(winner.upper())]
    return str((same or ends or enum)[0])
