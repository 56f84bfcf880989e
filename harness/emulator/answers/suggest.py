"""Options suggested for a goal under constraints: three to five, distinct, in plain words."""

import re
from typing import Any

from harness.emulator.answers.brief import FIGURE
from harness.emulator.draws import Draws

_COURSES = (
    ("pilot", "Run a small pilot", "shows real demand early", "delays the full benefit", "pilot conversion"),
    ("buy", "Buy a ready product", "is live within weeks", "ties us to one vendor", "vendor references"),
    ("build", "Build it in-house", "fits our own process", "needs scarce engineers", "engineering estimate"),
    (
        "partner",
        "Work with a partner",
        "shares cost and risk",
        "shares the margin too",
        "partner's track record",
    ),
    (
        "phase",
        "Roll out in phases",
        "limits the damage of mistakes",
        "keeps two systems alive",
        "phase-one results",
    ),
    ("hold", "Keep the present course", "costs nothing now", "leaves the goal unmet", "cost of delay"),
)


_PHRASE = re.compile(rf"{FIGURE.pattern}(?:[\s-][A-Za-z]+)?")
"""A figure with the word after it, which is mostly its unit."""


def suggest_answer(goal: str, constraints: str, draws: Draws, quality: float) -> dict[str, Any]:
    """The whole answer: `{"options": [...]}`; a better model takes up more of the stated figures."""
    rng = draws.stream("suggest")
    count = 3 + int(draws.uniform("suggest count") * 3)
    subject = " ".join(goal.split())[:60] or "the goal"
    stated = dict.fromkeys(match.group().strip() for match in _PHRASE.finditer(f"{goal} {constraints}"))
    figures = [figure for figure in stated if draws.uniform(f"figure {figure}") < quality]
    options = []
    for place, (key, title, pro, con, evidence) in enumerate(rng.sample(_COURSES, count)):
        limit, bar, mark = (_dealt(figures, 3 * place + turn) for turn in range(3))
        vague = draws.uniform(f"vague {key}") >= quality
        options.append(
            {
                "id": f"option_{key}",
                "title": f"{title}: {subject}",
                "pros": [
                    f"{title} {pro}",
                    "Seems sound" if vague else f"To {title.lower()} keeps within {limit}",
                ],
                "cons": [
                    f"{title} {con}",
                    "Takes effort" if vague else f"To {title.lower()} may strain {bar}",
                ],
                "evidence_to_gather": [f"Check the {evidence}", f"Set the {evidence} against {mark}"],
            }
        )
    return {"options": options}


def _dealt(figures: list[str], turn: int) -> str:
    """The figures in turn, so that every one of them is taken up."""
    return figures[turn % len(figures)] if figures else "the limit set"
