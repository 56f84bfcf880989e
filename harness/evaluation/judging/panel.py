"""The judges of an evaluation: resolved, of other families than the candidates', and what they may cost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from harness.errors import ConfigError
from harness.evaluation.admission import worst_call_usd
from harness.evaluation.judging.families import check_declared, check_impartial
from harness.evaluation.judging.pairwise import PairwiseJudge
from harness.evaluation.judging.question import Judge, JudgedAnswer
from harness.evaluation.judging.rubric import RubricJudge
from harness.evaluation.plan import Unit
from harness.orchestration import Route, Routing, Strategy
from harness.orchestration.attempt import prompt_bytes
from harness.pricing import PriceBook
from harness.records import Prompt
from harness.tasks.briefs import BriefCase
from harness.tasks.graders.marking import Marking


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Judges in the suite's order.

    Attributes:
        baseline: the strategy whose answers a pairwise judge compares with.
    """

    judges: tuple[Judge, ...]
    baseline: str

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every model asked."""
        return tuple(judge.route for judge in self.judges)

    def of(self, strategy: str) -> Iterator[Judge]:
        """The judges that look at a strategy's answers."""
        return (judge for judge in self.judges if not (judge.pairwise and strategy == self.baseline))

    def blank_prompts(self, strategy: str, case: BriefCase) -> Iterator[tuple[Judge, Prompt, int]]:
        """Every question about one answer, with nothing in the answers' place, and how many stand there."""
        nothing = JudgedAnswer(
            request_id="", strategy=strategy, case_id=case.case_id, repeat=1, body=case.body, text=""
        )
        for judge in self.of(strategy):
            baseline = nothing if judge.pairwise else None
            for prompt in judge.prompts(nothing, baseline).values():
                yield judge, prompt, 2 if judge.pairwise else 1

    def worst_case_usd(self, unit: Unit, answer_bytes: int, book: PriceBook, at: datetime) -> Decimal:
        """The most that judging one answer should cost, each question answered at its first attempt.

        Args:
            unit: whose answer.
            answer_bytes: its size; a baseline's is taken for as large.
            book: prices.
            at: prices of this moment.
        """
        return sum(
            (
                worst_call_usd(
                    judge.route, prompt_bytes(prompt) + answers * answer_bytes, prompt.max_tokens, book, at
                )
                for judge, prompt, answers in self.blank_prompts(unit.strategy.name, unit.case)
            ),
            Decimal(0),
        )


def seat_judges(
    marking: Marking, routing: Routing, strategies: Sequence[Strategy], source: str
) -> Panel | None:
    """The judges that a suite asks for, checked against the candidates; None when it asks for none.

    Raises:
        ConfigError: an unknown provider, a judge of a candidate's family or of none known, or a pairwise
            judge with only one strategy.
    """
    check_declared(marking.families, source)
    if not marking.judges:
        return None
    if marking.pairwise is not None and len(strategies) < 2:
        raise ConfigError(source, "'pairwise' compares strategies, but there is only one")
    routes = {reference: _route(routing, reference, source) for reference in marking.judges}
    for route in routes.values():
        check_impartial(route, strategies, marking.families, source)
    judges: list[Judge] = [
        RubricJudge(name=spec.name, route=routes[spec.judge], criteria=tuple(spec.criteria))
        for spec in marking.rubrics
    ]
    if marking.pairwise is not None:
        pair = marking.pairwise
        judges.append(PairwiseJudge(route=routes[pair.judge], criteria=tuple(pair.criteria)))
    return Panel(judges=tuple(judges), baseline=strategies[0].name)


def _route(routing: Routing, reference: str, source: str) -> Route:
    provider, _, model = reference.partition("/")
    return routing.route_to(provider, model, origin=f"{source}: judge")
