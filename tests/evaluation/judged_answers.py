"""Stored answers of two strategies, and a judging session over them against a real emulator."""

from datetime import UTC, datetime
from decimal import Decimal

from harness.evaluation import AdaptiveGate, LiveEvaluation, Stop, read_progress
from harness.evaluation.judging import JudgeBench, JudgingSession, Panel, owed_usd, read_judging
from harness.evaluation.judging.pairwise import PairwiseJudge
from harness.evaluation.judging.rubric import RubricJudge
from harness.evaluation.pools import EvaluationPools
from harness.orchestration import Route
from harness.pricing import Budget, PriceBook
from harness.providers import ProviderSettings
from harness.records import (
    Call,
    CallOutcome,
    Content,
    Request,
    RequestStatus,
    Role,
    Run,
    RunKind,
    dump_json,
)
from harness.store import Spool, open_store
from harness.tasks.briefs import BriefCase

AT = datetime(2026, 11, 1, tzinfo=UTC)
MODEL = "mistral-large-latest"
FIGURES = ["$40,000", "15%", "12 weeks", "300 users"]
BOOK = PriceBook.load()


def cases(count):
    brief = f"Hire or wait? We have {', '.join(FIGURES)}."
    return [
        BriefCase(
            case_id=f"c{n}", archetype="x", industry="y", body={"brief": f"{brief} Case {n}a."}, labels=None
        )
        for n in range(count)
    ]


def text(figures, padding=0, salt=""):
    """An answer that holds so many of the brief's figures, and is longer by some words."""
    return dump_json(
        {"says": " ".join(FIGURES[:figures]), "more": "and so on " * padding, "salt": salt}
    ).decode()


def judges(emulator, *, key="k"):
    settings = ProviderSettings(name="mistral", kind="openai", base_url=emulator.openai_base_url, api_key=key)
    route = Route(provider="mistral", model=MODEL, settings=settings)
    return Panel(
        judges=(
            RubricJudge(name="rubric", route=route, criteria=("Complete.", "Faithful.")),
            PairwiseJudge(route=route, criteria=("Better.",)),
        ),
        baseline="base",
    )


def store_answers(folder, answers, *, failed=()):
    """`answers[strategy][case]` is a text; each with a draft call of $0.01."""
    with Spool.open(folder, store_content=True) as spool:
        run = Run(run_id="run-1", kind=RunKind.EVAL, name="e", started_at=AT, owner=spool.spool_id)
        spool.append(run).result()
        for strategy, texts in answers.items():
            for seq, (case_id, said) in enumerate(texts.items()):
                request_id = f"{strategy}-{case_id}"
                status = RequestStatus.ERROR if request_id in failed else RequestStatus.OK
                content = Content(
                    run_id="run-1", request_id=request_id, call_id=None, kind="answer", ts=AT, text=said
                )
                request = Request(
                    run_id="run-1", request_id=request_id, status=status, strategy=strategy, seq=seq,
                    case_id=case_id, repeat=1, started_at=AT, cost_usd=Decimal("0.01"),
                )  # fmt: skip
                call = Call(
                    run_id="run-1", request_id=request_id, call_id=f"draft-{request_id}", role=Role.DRAFT,
                    attempt=1, provider="anthropic", model="claude-3-5-sonnet-20241022", started_at=AT,
                    latency_ms=1.0, outcome=CallOutcome.OK, cost_usd=Decimal("0.01"),
                )  # fmt: skip
                spool.append_many([content, call, request]).result()


async def judged(folder, panel, asked, *, budget=None, stop=None, concurrency=4, alive=True):
    """One session; how it ended."""
    with open_store(folder).snapshot() as view:
        state, progress = read_judging(view, "run-1", asked), read_progress(view, "run-1")
    spent = Budget("evaluation", budget)
    spent.spend(progress.committed_usd)
    pools = EvaluationPools(emulated=True)
    with Spool.open(folder, store_content=True) as spool:
        bench = JudgeBench(
            run_id="run-1", panel=panel, book=BOOK, spool=spool, budget=spent, cost_max_usd=Decimal(1),
            environment="test", concurrency=concurrency, pools=pools, gate=AdaptiveGate(concurrency),
            alive=lambda: alive,
        )  # fmt: skip
        try:
            session = JudgingSession(bench, state, LiveEvaluation(planned=0), stop or Stop())
            return await session.run()
        finally:
            await pools.aclose()


def rows(folder):
    """Grades by (request, grader), and the judges' calls."""
    with open_store(folder).snapshot() as view:
        grades = {(grade.request_id, grade.grader): grade for grade in view.grades("run-1")}
        calls = [call for call in view.calls("run-1") if call.role is Role.JUDGE]
        return grades, calls


def ledger(emulator):
    """The emulator's own account of what it answered as a judge."""
    return {entry.call_id: entry for entry in emulator.app.engine.ledger.entries if entry.answer == "judge"}


def owed(folder, panel, asked):
    """What judging the rest may cost."""
    with open_store(folder).snapshot() as view:
        return owed_usd(panel, read_judging(view, "run-1", asked), BOOK, AT)
