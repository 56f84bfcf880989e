"""What the strategies of an evaluation answered to one case, as far as it was kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.errors import UsageError
from harness.evaluation.judging.state import ANSWER_KIND
from harness.records import load_json_exact

_SHOWN_CASES = 8


class View(Protocol):
    """What is asked of a snapshot of the store."""

    def dicts(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows by column name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnswer:
    """One strategy's answer.

    Attributes:
        asked: the prompt that was sent first; None where texts were not kept.
        text: the answer's text, or its JSON; None where it was not kept or there is none.
        grades: scores by grader, None for an ungraded one.
    """

    strategy: str
    repeat: int | None
    status: str
    error: str | None
    score: float | None
    tier: str | None
    cost_usd: Any
    latency_ms: float | None
    asked: str | None
    text: str | None
    grades: dict[str, float | None] = field(default_factory=dict, hash=False)


_ROWS = """
SELECT r.request_id, r.strategy, r.repeat, r.status, r.error_kind, r.error_message, r.quality_score,
       r.quality_tier, r.cost_usd, r.latency_ms,
       any_value(a.text) AS answer, min(p.text) FILTER (p.kind = 'prompt') AS asked
FROM requests r
LEFT JOIN contents a ON a.run_id = r.run_id AND a.request_id = r.request_id AND a.kind = ?
LEFT JOIN contents p ON p.run_id = r.run_id AND p.request_id = r.request_id
WHERE r.run_id = ? AND r.case_id = ?
GROUP BY ALL ORDER BY any_value(r.repeat), any_value(r.seq)"""


def find_case(view: View, run_id: str, wanted: str) -> str:
    """The id of the case that is meant: by its id, or by a text that its kept prompt has.

    Raises:
        UsageError: none, or several.
    """
    ids = [row["case_id"] for row in view.dicts(_IDS, [run_id])]
    if wanted in ids:
        return wanted
    found = [row["case_id"] for row in view.dicts(_HAVING, [run_id, wanted])]
    matching = found or [case for case in ids if case and wanted.lower() in case.lower()]
    if len(matching) == 1:
        return str(matching[0])
    shown = ", ".join(map(str, (matching or ids)[:_SHOWN_CASES]))
    if matching:
        raise UsageError(f"'{wanted[:80]}' stands in {len(matching)} cases: say which of {shown}")
    raise UsageError(f"run {run_id} has no case '{wanted[:80]}' (there is: {shown or 'none'})")


_IDS = "SELECT DISTINCT case_id FROM requests WHERE run_id = ? ORDER BY 1"
_HAVING = """
SELECT DISTINCT r.case_id
FROM requests r JOIN contents c ON c.run_id = r.run_id AND c.request_id = r.request_id
WHERE r.run_id = ? AND c.kind = 'prompt' AND contains(lower(c.text), lower(?)) ORDER BY 1"""


def case_answers(view: View, run_id: str, case_id: str) -> list[CaseAnswer]:
    """Every answer to a case, repeats in order, strategies as they were asked."""
    grades: dict[str, dict[str, float | None]] = {}
    for row in view.dicts(_GRADES, [run_id, case_id]):
        grades.setdefault(row["request_id"], {})[row["grader"]] = row["score"]
    return [
        CaseAnswer(
            strategy=row["strategy"],
            repeat=row["repeat"],
            status=row["status"],
            error=": ".join(part for part in (row["error_kind"], row["error_message"]) if part) or None,
            score=row["quality_score"],
            tier=row["quality_tier"],
            cost_usd=row["cost_usd"],
            latency_ms=row["latency_ms"],
            asked=row["asked"],
            text=_text(row["answer"]),
            grades=grades.get(row["request_id"], {}),
        )
        for row in view.dicts(_ROWS, [ANSWER_KIND, run_id, case_id])
    ]


_GRADES = """
SELECT g.request_id, g.grader, g.score FROM grades g
JOIN requests r ON r.run_id = g.run_id AND r.request_id = g.request_id
WHERE r.run_id = ? AND r.case_id = ? ORDER BY g.grader"""


def _text(kept: str | None) -> str | None:
    """A kept answer: its text where it is nothing else."""
    if kept is None:
        return None
    answer = load_json_exact(kept)
    if isinstance(answer, dict) and set(answer) == {"answer"} and isinstance(answer["answer"], str):
        return answer["answer"]
    return kept
