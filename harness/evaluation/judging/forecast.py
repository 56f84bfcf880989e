"""What judging will cost, before it starts: assumed from the prompts and stated answer lengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.evaluation.forecast import Assumptions, StrategyForecast, call_usd
from harness.evaluation.judging.panel import Panel
from harness.orchestration.attempt import prompt_bytes
from harness.pricing import PriceBook
from harness.tasks.briefs import BriefCase


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAssumptions:
    """What is supposed of a judge: likely, at least and at most."""

    verdict_tokens: tuple[int, int, int] = (150, 50, 600)

    @property
    def text(self) -> str:
        """In words."""
        likely, least, most = self.verdict_tokens
        return (
            f"assumed: answers as the candidates' output, {likely} tokens a verdict ({least} to {most}), "
            "no prompt cache"
        )


def forecast_judging(
    panel: Panel,
    cases: Sequence[BriefCase],
    requests: Mapping[str, int],
    book: PriceBook,
    *,
    at: datetime,
    assumptions: JudgeAssumptions | None = None,
) -> tuple[StrategyForecast, ...]:
    """Cost of the judgements still to be made, one part a judge; `requests` counts questions.

    Args:
        panel: the judges.
        cases: what is asked; each request is one of them, all alike often.
        requests: answers to be judged, by strategy.
        book: prices.
        at: prices of this moment.
        assumptions: None takes the built-in ones.
    """
    supposed, answers = assumptions or JudgeAssumptions(), Assumptions()
    amounts: dict[str, list[float]] = {}
    questions: dict[str, float] = {}
    for strategy, wanted in requests.items():
        share = wanted / len(cases)
        for case in cases:
            for judge, prompt, shown in panel.blank_prompts(strategy, case):
                questions[judge.name] = questions.get(judge.name, 0.0) + share
                sums = amounts.setdefault(judge.name, [0.0, 0.0, 0.0])
                for index in range(3):
                    tokens = round(prompt_bytes(prompt) / answers.bytes_per_token[index])
                    tokens += shown * answers.output_tokens[index]
                    verdict = supposed.verdict_tokens[index]
                    sums[index] += share * call_usd(judge.route, tokens, verdict, book, at)
    return tuple(
        StrategyForecast(
            strategy=f"judge {judge.name} ({judge.route.provider}/{judge.route.model})",
            requests=round(questions.get(judge.name, 0.0)),
            cost_usd=amounts[judge.name][0],
            low_usd=amounts[judge.name][1],
            high_usd=amounts[judge.name][2],
            basis=supposed.text,
            recorded=False,
        )
        for judge in panel.judges
        if judge.name in amounts
    )
