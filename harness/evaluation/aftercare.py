"""What follows an answered unit beyond its own score: a suite's graders, and what its judges will need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from harness.clock import SYSTEM_CLOCK, Clock
from harness.evaluation.admission import ANSWER_BYTES_PER_TOKEN
from harness.evaluation.judging.panel import Panel
from harness.evaluation.judging.state import ANSWER_KIND
from harness.evaluation.plan import Unit
from harness.orchestration import PipelineResult
from harness.pricing import PriceBook
from harness.records import Content, Grade, dump_json
from harness.tasks.graders import AnswerGrader, GradedAnswer, Weighing, grade_row

_NOT_JUDGED = ("quality_tier", "quality_score")
"""Added by the pipeline; a judge that sees them judges those, not the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """The graders and judges of an evaluation. Without judges, an answer is kept only when asked for.

    Attributes:
        book: prices of the judges.
        weighings: what graders count as passed, by name; the high tier where nothing is said.
    """

    run_id: str
    task: str
    book: PriceBook
    graders: tuple[AnswerGrader, ...] = ()
    weighings: Mapping[str, Weighing] = field(default_factory=dict)
    panel: Panel | None = None
    keeps_answers: bool = False
    clock: Clock = SYSTEM_CLOCK

    def worst_case_usd(self, unit: Unit, max_answer_tokens: int) -> Decimal:
        """The most that judging a unit's answer may cost, before there is one."""
        return self._worst_usd(unit, ANSWER_BYTES_PER_TOKEN * max_answer_tokens)

    def set_aside_usd(self, unit: Unit, result: PipelineResult) -> Decimal:
        """The same of the answer that there is."""
        return self._worst_usd(unit, len(self._text(result).encode()))

    def records(self, unit: Unit, request_id: str, result: PipelineResult) -> list[Grade | Content]:
        """The grades that need no model, and the answer where judges will want it."""
        answer = GradedAnswer(task=self.task, case=unit.case, payload=self._payload(result))
        grades: list[Grade | Content] = [
            grade_row(
                grader,
                answer,
                run_id=self.run_id,
                request_id=request_id,
                weighing=self.weighings.get(grader.name),
            )
            for grader in self.graders
        ]
        if self.panel is None and not self.keeps_answers:
            return grades
        return [*grades, self._kept(request_id, self._text(result), self.clock.now())]

    def _kept(self, request_id: str, text: str, at: datetime) -> Content:
        return Content(
            run_id=self.run_id, request_id=request_id, call_id=None, kind=ANSWER_KIND, ts=at, text=text
        )

    def _worst_usd(self, unit: Unit, answer_bytes: int) -> Decimal:
        if self.panel is None:
            return Decimal(0)
        return self.panel.worst_case_usd(unit, answer_bytes, self.book, self.clock.now())

    def _payload(self, result: PipelineResult) -> dict[str, object]:
        return {name: value for name, value in result.payload.items() if name not in _NOT_JUDGED}

    def _text(self, result: PipelineResult) -> str:
        return dump_json(self._payload(result)).decode()
