"""How far the judging of a run came, read from the store: answers kept, questions answered, grades given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from harness.evaluation.judging.question import JudgedAnswer
from harness.records import load_json_exact
from harness.tasks.briefs import BriefCase

ANSWER_KIND = "answer"
"""Kind of the `contents` row that keeps an answer for its judges."""
JUDGE_STARTED = "eval.judge.started"
JUDGE_ANSWERED = "eval.judge.answered"
JUDGE_CUT = "eval.judge.cut"


class View(Protocol):
    """What is asked of a snapshot of the store."""

    def dicts(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows by column name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementInDoubt:
    """A question to a judge that was begun and never ended: it may have been paid, and is asked again."""

    request_id: str
    strategy: str
    case_id: str
    repeat: int
    grader: str
    reserved_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingState:
    """Where the judging of a run stands.

    Attributes:
        answers: answered requests whose text was kept, in the order of the run.
        verdicts: answered questions by (request id, grader, question).
        graded: (request id, grader) that have their grade, or are on record as ungraded.
    """

    answers: tuple[JudgedAnswer, ...] = ()
    verdicts: Mapping[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)
    graded: frozenset[tuple[str, str]] = frozenset()


_ANSWERS = """
SELECT r.request_id, r.strategy, r.case_id, r.repeat, any_value(c.text) AS text
FROM requests r JOIN contents c ON c.run_id = r.run_id AND c.request_id = r.request_id
WHERE r.run_id = ? AND r.status = 'ok' AND c.kind = ?
GROUP BY ALL ORDER BY any_value(r.seq), r.request_id"""


def read_judging(view: View, run_id: str, cases: Sequence[BriefCase]) -> JudgingState:
    """The state of a run's judging.

    Args:
        view: a snapshot of the store, live records included.
        run_id: of an evaluation.
        cases: what was asked.
    """
    bodies = {case.case_id: case.body for case in cases}
    told = view.dicts(
        "SELECT request_id, payload FROM events WHERE run_id = ? AND name = ?", [run_id, JUDGE_ANSWERED]
    )
    verdicts = {}
    for row in told:
        payload = load_json_exact(row["payload"])
        verdicts[row["request_id"], payload["grader"], payload["asked"]] = payload["verdict"]
    grades = view.dicts("SELECT request_id, grader FROM grades WHERE run_id = ?", [run_id])
    return JudgingState(
        answers=tuple(
            JudgedAnswer(body=bodies[row["case_id"]], **row)
            for row in view.dicts(_ANSWERS, [run_id, ANSWER_KIND])
            if row["case_id"] in bodies
        ),
        verdicts=verdicts,
        graded=frozenset((row["request_id"], row["grader"]) for row in grades),
    )


def judgements_in_doubt(view: View, run_id: str) -> tuple[JudgementInDoubt, ...]:
    """Questions begun without an end of any kind, each with its worst case."""
    rows = view.dicts(
        "SELECT name, request_id, payload FROM events WHERE run_id = ? AND name IN (?, ?, ?) ORDER BY ts",
        [run_id, JUDGE_STARTED, JUDGE_ANSWERED, JUDGE_CUT],
    )
    told = [(row["name"], row["request_id"], load_json_exact(row["payload"])) for row in rows]
    ended = {payload["judgement_id"] for name, _, payload in told if name != JUDGE_STARTED}
    return tuple(
        JudgementInDoubt(
            request_id=request_id,
            strategy=str(payload["strategy"]),
            case_id=str(payload["case_id"]),
            repeat=int(payload["repeat"]),
            grader=str(payload["grader"]),
            reserved_usd=Decimal(str(payload["reserved_usd"])),
        )
        for name, request_id, payload in told
        if name == JUDGE_STARTED and payload["judgement_id"] not in ended
    )


def judged_answers(view: View, run_id: str) -> dict[str, int]:
    """By strategy, how many of its answers have a verdict on record."""
    rows = view.dicts(
        """SELECT payload->>'$.strategy' AS strategy, count(DISTINCT request_id) AS n
        FROM events WHERE run_id = ? AND name = ? GROUP BY 1""",
        [run_id, JUDGE_ANSWERED],
    )
    return {row["strategy"]: row["n"] for row in rows}
