# ruff: noqa: S608 - constant SQL, values are bound
"""What graders and judges say of an evaluation, strategy by strategy; an absent grade is counted, never 0."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from harness.analysis.estimate import Estimate, no_estimate
from harness.analysis.moments import moments_of, share_estimate
from harness.analysis.pairwise import AdjustedRate, length_adjusted_win_rate, win_rate
from harness.figures.grades import grader_figures
from harness.figures.selection import Rows
from harness.records import EvaluationConfig
from harness.store.database.typed import StoredRun

PAIRWISE = "pairwise"
WORDS = ("win", "tie", "loss")
UNNAMED = "(none)"
"""What stands for a strategy that a run does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyGrader:
    """One grader over one strategy's answers.

    Attributes:
        ungraded: answers without a score: the grader or judge failed, or was not reached.
        own: the suite's own grader, not a part of the task's score.
    """

    grader: str
    strategy: str
    score: Estimate
    passed: Estimate
    ungraded: int
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseFigures:
    """A strategy's answers against the baseline's to the same case and repeat.

    Attributes:
        pairs: judged in both orders. ungraded: both answered, without a verdict.
        flipped: pairs whose verdict changed with the order; each counts as a tie.
        adjusted: the win rate at equal length.
    """

    strategy: str
    baseline: str
    pairs: int
    ungraded: int
    counts: Mapping[str, int]
    win_rate: Estimate
    flipped: Estimate
    adjusted: AdjustedRate


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpending:
    """What judging one strategy's answers cost; `unknown` calls have no cost and are in no sum."""

    strategy: str
    calls: int
    cost_usd: Decimal
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingFigures:
    """Graders and judges of a run. `judges` as `provider/model`."""

    judges: tuple[str, ...] = ()
    graders: tuple[StrategyGrader, ...] = ()
    pairwise: tuple[PairwiseFigures, ...] = ()
    spending: tuple[JudgeSpending, ...] = ()


def grading_figures(rows: Rows, run: StoredRun) -> GradingFigures:
    """The figures of all graders.

    Args:
        rows: the run's.
        run: its config says which graders and judges the suite asked for.
    """
    told = EvaluationConfig.read(run.config)
    own = tuple(told.graders)
    answers = dict(
        rows.rows(
            f"""SELECT coalesce(strategy, '{UNNAMED}') AS name, count(*) FROM counted WHERE status = 'ok'
            GROUP BY name ORDER BY min(coalesce(seq, 0)), name"""
        )
    )
    return GradingFigures(
        judges=tuple(told.judges),
        graders=tuple(_graders(rows, answers, own)),
        pairwise=tuple(_pairs(rows, told.strategies, answers)) if PAIRWISE in own else (),
        spending=tuple(_spending(rows, answers)),
    )


def _graders(rows: Rows, answers: Mapping[str, int], own: tuple[str, ...]) -> Iterator[StrategyGrader]:
    told = {(found.grader, found.strategy): found for found in grader_figures(rows)}
    names = {grader for grader, _ in told} | set(own)
    for name in sorted(names - {PAIRWISE}):
        for strategy, n in answers.items():
            found = told.get((name, "unknown" if strategy == UNNAMED else strategy))
            yield StrategyGrader(
                grader=name,
                strategy=strategy,
                score=found.score if found else no_estimate("wilson_effective"),
                passed=found.passed if found else no_estimate("wilson"),
                ungraded=n - (found.score.n if found else 0),
                own=name in own,
            )


def _pairs(rows: Rows, strategies: Sequence[str], answers: Mapping[str, int]) -> Iterator[PairwiseFigures]:
    """Every strategy that answered against the run's first."""
    first = next(iter(strategies or answers), "")
    for strategy in answers:
        if strategy != first:
            yield _pair(rows, strategy, first)


def _pair(rows: Rows, strategy: str, first: str) -> PairwiseFigures:
    table: dict[str, Any] = rows.view.columns(
        f"""{rows.ctes}, answered AS (
            SELECT *, CASE WHEN case_id IS NULL THEN hash(run_id, request_id) ELSE hash(case_id) END AS own
            FROM counted WHERE status = 'ok')
        SELECT a.own, g.score, g.detail->>'verdict' AS verdict,
            coalesce((g.detail->>'flipped')::BOOLEAN, FALSE) AS flipped,
            (g.detail->>'chars')::DOUBLE - (g.detail->>'baseline_chars')::DOUBLE AS longer
        FROM answered a
        SEMI JOIN (SELECT own, repeat FROM answered WHERE strategy = ?) b
            ON a.own = b.own AND a.repeat IS NOT DISTINCT FROM b.repeat
        LEFT JOIN (FROM grades WHERE grader = '{PAIRWISE}') g
            ON g.run_id = a.run_id AND g.request_id = a.request_id
        WHERE a.strategy = ? ORDER BY a.request_id""",
        [*rows.values, first, strategy],
    )
    judged = ~np.ma.getmaskarray(np.ma.asarray(table["score"]))
    scores = np.ma.getdata(table["score"])[judged].astype(np.float64)
    clusters = np.unique(table["own"][judged], return_inverse=True)[1]
    said = [str(verdict) for verdict in table["verdict"][judged]]
    longer = np.ma.filled(np.ma.asarray(table["longer"], dtype=np.float64), 0.0)[judged]
    flipped = table["flipped"][judged].astype(np.float64)
    cases = clusters.tolist()
    return PairwiseFigures(
        strategy=strategy,
        baseline=first,
        pairs=int(judged.sum()),
        ungraded=int((~judged).sum()),
        counts={word: said.count(word) for word in WORDS},
        win_rate=win_rate(scores.tolist(), cases),
        flipped=share_estimate(moments_of(flipped, clusters)),
        adjusted=length_adjusted_win_rate(scores.tolist(), longer.tolist(), cases),
    )


def _spending(rows: Rows, answers: Mapping[str, int]) -> Iterator[JudgeSpending]:
    found = rows.rows(
        f"""SELECT coalesce(strategy, '{UNNAMED}') AS name, count(*), count(c.cost_usd), sum(c.cost_usd)
        FROM calls c JOIN (SELECT run_id, request_id, strategy FROM counted WHERE status = 'ok') r
            USING (run_id, request_id)
        WHERE role = 'judge' AND outcome <> 'refused' GROUP BY name"""
    )
    told = {name: (calls, known, usd) for name, calls, known, usd in found}
    for strategy in answers:
        calls, known, usd = told.get(strategy, (0, 0, None))
        yield JudgeSpending(strategy=strategy, calls=calls, cost_usd=usd or Decimal(0), unknown=calls - known)
