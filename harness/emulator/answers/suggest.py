"""Options suggested for a goal under constraints: three to five, distinct, in plain words."""

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


def suggest_answer(goal: str, constraints: str, draws: Draws, quality: float) -> dict[str, Any]:
    """The whole answer: `{"options": [...]}`; a better model names the constraints' figures more often."""
    rng = draws.stream("suggest")
    count = 3 + int(draws.uniform("suggest count") * 3)
    subject = " ".join(goal.split())[:60] or "the goal"
    figures = [f.strip() for f in FIGURE.findall(f"{goal} {constraints}")] or ["the limit set"]
    options = []
    for key, title, pro, con, evidence in rng.sample(_COURSES, count):
        figure = rng.choice(figures) if draws.uniform(f"figure {key}") < quality else "the limit set"
        options.append(
            {
                "id": f"option_{key}",
                "title": f"{title}: {subject}",
                "pros": [f"{title} {pro}", f"Leaves room within {figure}"],
                "cons": [f"{title} {con}", f"May strain {figure}"],
                "evidence_to_gather": [f"Check the {evidence}", f"Compare with {figure} over three months"],
            }
        )
    return {"options": options}
