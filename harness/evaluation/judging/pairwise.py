"""A judge that chooses between two answers, asked in both orders: what flips with the order is a tie.

Source: Zheng et al., Judging LLM-as-a-Judge (2023), arXiv:2306.05685, section 3.4 on position bias.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import BadOutputError
from harness.evaluation.judging.question import (
    AS_DATA,
    MAX_JUDGE_TOKENS,
    JudgedAnswer,
    numbered,
    reason_of,
    shown,
    shown_request,
)
from harness.orchestration import Route
from harness.records import Prompt, Role
from harness.tasks.graders.marking import PAIRWISE
from harness.tasks.grading import Part
from harness.tasks.jsonobject import find_json_object
from harness.tasks.jsonschema import object_schema

CANDIDATE_FIRST, BASELINE_FIRST = "candidate_first", "baseline_first"
WIN, TIE, LOSS = "win", "tie", "loss"
SCORES = {WIN: 1.0, TIE: 0.5, LOSS: 0.0}
_MEANING = {
    CANDIDATE_FIRST: {"A": WIN, "B": LOSS, "TIE": TIE},
    BASELINE_FIRST: {"A": LOSS, "B": WIN, "TIE": TIE},
}

SYSTEM = """\
You compare two answers to one request and say which one serves it better.
{as_data}
The order of the answers means nothing.

Criteria:
{criteria}

Write a reason of at most 200 characters first, then the winner: A, B, or tie when neither is clearly better.
Answer with one JSON object and nothing else: {{"reason": text, "winner": "A" or "B" or "tie"}}
"""

_SCHEMA = object_schema(
    {
        "reason": {"type": "string", "description": "at most 200 characters"},
        "winner": {"type": "string", "enum": ["A", "B", "tie"]},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseJudge:
    """See `Judge`."""

    route: Route
    criteria: tuple[str, ...]
    name: str = PAIRWISE
    pairwise: bool = True

    def prompts(self, answer: JudgedAnswer, baseline: JudgedAnswer | None) -> dict[str, Prompt]:
        """The same pair, once in each order."""
        if baseline is None:
            raise ValueError("a pairwise judge needs two answers")
        return {
            CANDIDATE_FIRST: self._prompt(answer, answer.text, baseline.text),
            BASELINE_FIRST: self._prompt(answer, baseline.text, answer.text),
        }

    def _prompt(self, answer: JudgedAnswer, first: str, second: str) -> Prompt:
        parts = (shown_request(answer.body), shown("answer_a", first), shown("answer_b", second))
        return Prompt(
            role=Role.JUDGE,
            system=SYSTEM.format(as_data=AS_DATA, criteria=numbered(self.criteria)),
            user="\n\n".join(parts),
            output_schema=_SCHEMA,
            schema_name="choice",
            max_tokens=MAX_JUDGE_TOKENS,
            temperature=0.0,
        )

    def read(self, text: str) -> dict[str, Any]:
        """The winner's letter and the reason; raises `BadOutputError` for anything else."""
        found = find_json_object(text, wanted=("winner",))
        winner = found["winner"].strip().upper() if isinstance(found["winner"], str) else None
        if winner not in ("A", "B", "TIE"):
            raise BadOutputError("the judge named no winner: neither A, B nor tie")
        return {"winner": winner, "reason": reason_of(found.get("reason"))}

    def part(
        self, verdicts: Mapping[str, Mapping[str, Any]], answer: JudgedAnswer, baseline: JudgedAnswer | None
    ) -> Part:
        """Win 1, tie 0.5, loss 0; two orders that disagree are a tie that flipped."""
        if baseline is None:
            raise ValueError("a pairwise judge needs two answers")
        said = {asked: _MEANING[asked][verdicts[asked]["winner"]] for asked in _MEANING}
        flipped = len(set(said.values())) > 1
        verdict = TIE if flipped else said[CANDIDATE_FIRST]
        detail = {
            "baseline": baseline.strategy,
            "baseline_request_id": baseline.request_id,
            "verdict": verdict,
            "flipped": flipped,
            "chars": len(answer.text),
            "baseline_chars": len(baseline.text),
            **{asked: {"verdict": word, "reason": verdicts[asked]["reason"]} for asked, word in said.items()},
        }
        return Part(score=SCORES[verdict], detail=detail)
