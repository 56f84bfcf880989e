"""Is a what-if true? Policies run for real against the emulator, each predicted from single-model cells only.

Prints Markdown; exits 1 when a claim does not hold. One evaluation with 40 repeats of every case: each repeat
has draws of its own, so it stands for a seed. The truth of a policy is what its 40 repeats came to.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from harness.evaluation.run import Evaluation
from harness.evaluation.settings import EvalPlan
from harness.evaluation.suite import load_suite
from harness.figures.sides import sides_of
from harness.orchestration.router import Router, RouterFile
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.processes.embedded import EmbeddedTarget
from harness.records import dump_json
from harness.store import open_store
from harness.strategies.cells import case_keys, load_cells
from harness.strategies.checkers import ConfidenceChecker, ScoreChecker, ValidatorChecker
from harness.strategies.judging import quick, way_figures
from harness.strategies.policies import (
    BestOf,
    Cascade,
    Fallback,
    Hedge,
    RandomMix,
    Routed,
    Single,
    World,
)
from harness.strategies.writing import strategy_yaml

SEEDS, CASES, SPEED, CONCURRENCY = 40, 40, 5.0, 40
SONNET = ModelRef("anthropic", "claude-3-5-sonnet-20241022")
GPT, MINI = ModelRef("openai", "gpt-4o"), ModelRef("openai", "gpt-4o-mini")
SINGLES = (Single(draft=SONNET), Single(draft=GPT), Single(draft=MINI))
FAULTS = (
    '[{"kind":"content_filter","rate":0.03,"model":"claude-*"},'
    '{"kind":"server_error","rate":0.01,"model":"claude-*"}]'
)
LONG = 5.8
"""Of the log of a brief's length: above it the router asks the strong model."""
ROUTER = RouterFile.model_validate(
    {
        "schema": "harness.router.v1",
        "weak": str(MINI),
        "strong": str(SONNET),
        "trained_on": "nothing: long briefs are sent on",
        "words": {},
        "classes": [-1, 1],
        "weights": [{}, {"length": 4.0}],
        "intercepts": [0.0, -4.0 * LONG],
    }
)


@dataclass
class Truth:
    """What a policy's own requests came to."""

    usd: float
    high: float
    p95_ms: float
    failed: float


def policies(scores):
    """What is predicted: the name under which it runs, and the policy."""

    def to_strong(cells):
        return np.array([scores[key] >= 0.0 for key in cells.case_keys.tolist()])

    return {
        "hybrid-sonnet-mini": Single(draft=SONNET, repair=MINI),
        "hybrid-gpt-mini": Single(draft=GPT, repair=MINI),
        "hybrid-mini-sonnet": Single(draft=MINI, repair=SONNET),
        "cascade-validator": Cascade(first=MINI, then=SONNET, checker=ValidatorChecker()),
        "cascade-confidence-70": Cascade(first=MINI, then=SONNET, checker=ConfidenceChecker(0.7)),
        "cascade-confidence-80": Cascade(first=MINI, then=GPT, checker=ConfidenceChecker(0.8)),
        "cascade-score": Cascade(first=GPT, then=SONNET, checker=ScoreChecker(0.9), repair=MINI),
        "fallback-faults": Fallback(first=SONNET, then=GPT),
        "fallback-faults-mini": Fallback(first=SONNET, then=MINI, repair=MINI),
        "hedge-early": Hedge(first=SONNET, second=GPT, after_ms=1500.0),
        "hedge-middle": Hedge(first=SONNET, second=GPT, after_ms=3000.0, repair=MINI),
        "hedge-late": Hedge(first=GPT, second=MINI, after_ms=5000.0),
        "best-of-two": BestOf(refs=(MINI, GPT), pick_by="confidence"),
        "random-30": RandomMix(first=MINI, second=SONNET, share=0.3),
        "routed-by-length": Routed(
            weak=MINI, strong=SONNET, label="length", to_strong=to_strong, score_at_least=0.0
        ),
    }


def run_for_real(folder, suite, chosen):
    """The run's id, after every policy and every model alone has answered everything."""
    files = []
    (folder / "router.json").write_bytes(dump_json(ROUTER.model_dump(by_alias=True)))
    alone = {f"single-{own.draft.model}": own for own in SINGLES}
    for name, policy in (alone | chosen).items():
        path = folder / f"{name}.yaml"
        path.write_text(strategy_yaml(policy, name=name, router="router.json"))
        files.append(str(path))
    plan = EvalPlan(
        store_dir=folder / "store",
        suite_reference="golden",
        suite=suite,
        strategies=tuple(files),
        repeats=SEEDS,
        cases=CASES,
        concurrency=CONCURRENCY,
        embedded=EmbeddedTarget(speed=SPEED, seed=7, faults=FAULTS),
    )
    return Evaluation(plan, Console(stderr=True)).run().run_id


def case_scores(view, suite):
    """The router's score of every case, by the hash of its id."""
    task, router, cases = suite.asked(), Router(file=ROUTER), suite.cases[:CASES]
    keys = case_keys(view, [case.case_id for case in cases])
    texts = [task.draft_prompt(task.parse_input(case.body)).user for case in cases]
    return {key: router.score(text) for key, text in zip(keys.tolist(), texts, strict=True)}


def truth(view, run_id, name):
    """The recorded figures of one policy, all repeats together."""
    columns = view.columns(
        """SELECT cost_usd::DOUBLE AS usd, (quality_tier = 'high')::DOUBLE AS high,
            CASE WHEN status = 'ok' THEN latency_ms ELSE 'inf'::DOUBLE END AS ms, status <> 'ok' AS failed
        FROM requests WHERE run_id = ? AND strategy = ? AND NOT warmup""",
        [run_id, name],
    )
    usd, high, ms = (np.ma.filled(np.ma.asarray(columns[n]), np.nan) for n in ("usd", "high", "ms"))
    return Truth(
        float(np.nanmean(usd)),
        float(np.nanmean(high)),
        float(np.quantile(ms[~np.isnan(ms)], 0.95)),
        float(np.mean(columns["failed"])),
    )


def slices(world):
    """One unit of each case a seed: the s-th time that every model was asked it."""
    order = np.argsort(world.cells.cases, kind="stable")
    starts = np.flatnonzero(np.diff(world.cells.cases[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return [world.of(np.sort(order[place == seed])) for seed in range(SEEDS)]


def covers(estimate, value):
    """Inside the stated interval; an end that is not known bounds nothing."""
    return (estimate.low is None or estimate.low <= value) and (
        estimate.high is None or value <= estimate.high
    )


def main():
    """Run the campaign."""
    failed = []
    suite = load_suite("golden")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        names = policies({})
        run_id = run_for_real(folder, suite, names)
        with open_store(folder / "store").snapshot() as view:
            alone = [side for side in sides_of(view, view.run(run_id)) if side.way.startswith("single-")]
            world = World(load_cells([(side.way, side) for side in alone]), PriceBook.load(), speed=SPEED)
            seeds = slices(world)
            print(
                f"{len(names)} policies, {CASES} cases, {SEEDS} seeds (repeats with draws of their own), "
                f"emulated at x{SPEED:g} with {FAULTS}. Cells: {world.cells.n:,} units of "
                f"{len(world.cells.sources)} models. Truth: each policy's own {SEEDS * CASES:,} requests.\n"
            )
            print("| policy | $ predicted / measured | off | in | high tier | off | in | p95 ms | off | in |")
            print("|---|---|---|---|---|---|---|---|---|---|")
            for name, policy in policies(case_scores(view, suite)).items():
                real, said = truth(view, run_id, name), quick(policy.over(world))
                own = [way_figures(policy.over(seed), seed.cells.cases) for seed in seeds]
                inside = [
                    np.mean([covers(getattr(figures, figure), value) for figures in own])
                    for figure, value in (
                        ("cost_per_request", real.usd),
                        ("high_tier", real.high),
                        ("p95", real.p95_ms),
                    )
                ]
                off = (said.usd / real.usd - 1, said.high - real.high, said.p95_ms / real.p95_ms - 1)
                print(
                    f"| {name} | {said.usd:.6f} / {real.usd:.6f} | {off[0]:+.1%} | {inside[0]:.0%} "
                    f"| {said.high:.1%} / {real.high:.1%} | {100 * off[1]:+.1f} | {inside[1]:.0%} "
                    f"| {said.p95_ms:.0f} / {real.p95_ms:.0f} | {off[2]:+.1%} | {inside[2]:.0%} |"
                )
                for figure, distance, limit, share in zip(
                    ("cost", "high tier", "p95"), off, (0.02, 0.03, 0.05), inside, strict=True
                ):
                    if not (abs(distance) <= limit or share >= 0.9):
                        failed.append(f"{figure} of {name}")
    print(
        "\nHolds: every cost within 2%, high tier within 3 points and p95 within 5%, or the truth inside the "
        f"stated interval in at least 90% of {SEEDS} seeds."
        if not failed
        else f"\n**DOES NOT HOLD**: {', '.join(failed)}."
    )
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
