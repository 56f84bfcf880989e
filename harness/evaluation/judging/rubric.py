"""A judge with a rubric: each criterion scored 1 to 5 with a reason, their mean as 0..1."""

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
from harness.tasks.grading import Part
from harness.tasks.jsonobject import find_json_object
from harness.tasks.jsonschema import object_schema

LOWEST, HIGHEST = 1, 5
ASKED = "rubric"

SYSTEM = """\
You grade one answer to one request, criterion by criterion.
{as_data}

Criteria:
{criteria}

For each criterion write a reason of at most 200 characters first, then its score:
1 not met at all, 2 barely, 3 partly, 4 mostly, 5 fully met.
Answer with one JSON object and nothing else: {{"criterion_1": {{"reason": text, "score": 1 to 5}}, ...}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricJudge:
    """See `Judge`."""

    name: str
    route: Route
    criteria: tuple[str, ...]
    pairwise: bool = False

    def prompts(self, answer: JudgedAnswer, baseline: JudgedAnswer | None) -> dict[str, Prompt]:  # noqa: ARG002 - one signature for all judges
        """One question."""
        grade = object_schema(
            {
                "reason": {"type": "string", "description": "at most 200 characters"},
                "score": {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))},
            }
        )
        prompt = Prompt(
            role=Role.JUDGE,
            system=SYSTEM.format(as_data=AS_DATA, criteria=numbered(self.criteria)),
            user=f"{shown_request(answer.body)}\n\n{shown('answer', answer.text)}",
            output_schema=object_schema(dict.fromkeys(self._keys, grade)),
            schema_name="rubric",
            max_tokens=MAX_JUDGE_TOKENS,
            temperature=0.0,
        )
        return {ASKED: prompt}

    def read(self, text: str) -> dict[str, Any]:
        """The score and reason of every criterion; raises `BadOutputError` when one is missing."""
        found = find_json_object(text, wanted=self._keys)
        return {key: _criterion(key, found.get(key)) for key in self._keys}

    def part(
        self,
        verdicts: Mapping[str, Mapping[str, Any]],
        answer: JudgedAnswer,  # noqa: ARG002 - one signature for all judges
        baseline: JudgedAnswer | None,  # noqa: ARG002
    ) -> Part:
        """The criteria's mean, each (score - 1) / 4."""
        verdict = verdicts[ASKED]
        scores = [int(verdict[key]["score"]) for key in self._keys]
        criteria = [
            {"criterion": criterion, **verdict[key]}
            for key, criterion in zip(self._keys, self.criteria, strict=True)
        ]
        mean = (sum(scores) / len(scores) - LOWEST) / (HIGHEST - LOWEST)
        return Part(score=round(mean, 6), detail={"criteria": criteria})

    @property
    def _keys(self) -> tuple[str, ...]:
        return tuple(f"criterion_{number}" for number in range(1, len(self.criteria) + 1))


def _criterion(key: str, value: Any) -> dict[str, Any]:
    score = value.get("score") if isinstance(value, dict) else None
    if (
        isinstance(score, bool)
        or not isinstance(score, int | float)
        or score not in range(LOWEST, 1 + HIGHEST)
    ):
        raise BadOutputError(f"the judge gave {key} no score from {LOWEST} to {HIGHEST}")
    return {"score": int(score), "reason": reason_of(value.get("reason"))}
