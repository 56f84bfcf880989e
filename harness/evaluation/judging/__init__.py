"""Models that grade: rubrics and pairwise choices, of another family than what they judge, paid apart."""

from harness.evaluation.judging.forecast import forecast_judging
from harness.evaluation.judging.panel import Panel, seat_judges
from harness.evaluation.judging.session import JudgeBench, JudgingEnd, JudgingSession, open_work, owed_usd
from harness.evaluation.judging.state import JudgingState, judgements_in_doubt, read_judging

__all__ = [
    "JudgeBench",
    "JudgingEnd",
    "JudgingSession",
    "JudgingState",
    "Panel",
    "forecast_judging",
    "judgements_in_doubt",
    "open_work",
    "owed_usd",
    "read_judging",
    "seat_judges",
]
