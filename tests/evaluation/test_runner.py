"""The runner on scripted providers: what is recorded when graders fail, calls fail, or the key is wrong."""

from decimal import Decimal

import pytest

from harness.errors import ProviderError
from harness.evaluation import (
    Aftercare,
    Bench,
    GuardedTask,
    LiveEvaluation,
    Runner,
    Stop,
    load_suite,
    read_progress,
    units,
)
from harness.evaluation.admission import worst_case_usd
from harness.evaluation.judging import Panel
from harness.evaluation.judging.rubric import RubricJudge
from harness.evaluation.pools import EvaluationPools
from harness.pricing import Budget, PriceBook
from harness.records import NO_USAGE, Run, RunKind, RunStatus, load_json_exact
from harness.store import Spool, open_store
from harness.tasks.grading import Part
from harness.tasks.registry import get_task
from tests.evaluation.test_units import AT, BrokenGrader
from tests.orchestration.scripted import GOOD, SCRIPTS, Script, route, strategy

ORDINARY = get_task("draft_graph")
BOOK = PriceBook.load()


async def evaluated(
    folder, *, task=ORDINARY, steps=(GOOD,), cases=3, budget=None, stop=None, alive=True, aftercare=None
):
    """Three cases through scripted providers; the session, the requests and the grades."""
    SCRIPTS["anthropic"], SCRIPTS["openai"] = Script([*steps]), Script([*steps])
    with Spool.open(folder, store_content=aftercare is not None) as spool:
        run = Run(run_id="run-1", kind=RunKind.EVAL, name="e", started_at=AT, owner=spool.spool_id)
        spool.append(run).result()
        bench = Bench(
            run_id="run-1",
            task=GuardedTask(task),
            book=PriceBook.load(),
            spool=spool,
            budget=Budget("evaluation", budget),
            cost_max_usd=Decimal(1),
            environment="test",
            concurrency=2,
            pools=EvaluationPools(emulated=False),
            alive=lambda: alive,
            aftercare=aftercare,
        )
        todo = list(units([strategy()], load_suite("smoke").cases[:cases], 1))
        session = await Runner(bench, todo, LiveEvaluation(planned=cases), stop or Stop()).run()
    with open_store(folder).snapshot() as view:
        grades = view.dicts("SELECT grader, score, passed FROM grades")
        return session, view.requests("run-1"), grades


async def test_an_answered_case_has_its_score_its_grades_and_a_client_latency(tmp_path):
    session, requests, grades = await evaluated(tmp_path)
    assert session.status is RunStatus.COMPLETED
    assert len(requests) == 3
    assert all(r.quality_score is not None and r.latency_source == "client" for r in requests)
    assert {r.score_basis for r in requests} == {"labelled"}
    assert len([g for g in grades if g["grader"] == "quality"]) == 3


async def test_a_failing_grader_leaves_the_case_ungraded_and_paid(tmp_path):
    session, requests, grades = await evaluated(tmp_path, task=BrokenGrader())
    assert session.status is RunStatus.COMPLETED
    assert [r.quality_score for r in requests] == [None] * 3
    assert [r.quality_tier for r in requests] == [None] * 3
    assert all(r.cost_usd > 0 for r in requests)
    assert [(g["grader"], g["score"], g["passed"]) for g in grades] == [("quality", None, None)] * 3


async def test_a_failed_case_is_a_finished_case_with_its_error(tmp_path):
    refused = ProviderError("bad_request", "no", http_status=400, usage=NO_USAGE)
    session, requests, _ = await evaluated(tmp_path, steps=[refused])
    assert session.status is RunStatus.COMPLETED
    assert {(r.status, r.error_kind) for r in requests} == {("error", "bad_request")}


async def test_cases_that_fail_because_the_emulator_died_are_asked_again(tmp_path):
    broken = ProviderError("bad_request", "gone", usage=NO_USAGE)
    session, requests, _ = await evaluated(tmp_path, steps=[broken], cases=6, alive=False)
    assert session.status is RunStatus.FAILED
    assert requests == []
    with open_store(tmp_path).snapshot() as view:
        progress = read_progress(view, "run-1")
    assert progress.finished == frozenset()
    assert progress.in_doubt == ()
    assert max(progress.generations.values()) == 1


async def test_a_wrong_key_ends_the_run_before_it_fails_every_case(tmp_path):
    refused = ProviderError("auth", "invalid key", http_status=401, usage=NO_USAGE)
    session, requests, _ = await evaluated(tmp_path, steps=[refused], cases=6)
    assert session.status is RunStatus.FAILED
    assert "invalid key" in session.problem
    assert len(requests) <= 2


async def test_a_budget_too_small_for_one_case_asks_nothing(tmp_path):
    session, requests, _ = await evaluated(tmp_path, budget=Decimal("0.01"))
    assert session.status is RunStatus.TRUNCATED
    assert requests == []
    assert session.sent_calls == 0


async def test_a_stop_before_the_start_asks_nothing(tmp_path):
    stop = Stop()
    stop.ask()
    session, requests, _ = await evaluated(tmp_path, stop=stop)
    assert session.status is RunStatus.INTERRUPTED
    assert requests == []


async def test_every_case_is_begun_on_record_before_it_is_asked(tmp_path):
    await evaluated(tmp_path)
    with open_store(tmp_path).snapshot() as view:
        begun = view.dicts("SELECT request_id, payload FROM events WHERE name = 'eval.case.started'")
        calls = view.calls("run-1")
    assert {event["request_id"] for event in begun} == {call.request_id for call in calls}
    assert all(Decimal(load_json_exact(event["payload"])["reserved_usd"]) > 0 for event in begun)


class Counting:
    name = "counting"

    def grade(self, answer):
        assert "quality_score" not in answer.payload
        return Part(score=len(answer.payload["graph"]["nodes"]) / 10)


class Failing(Counting):
    name = "failing"

    def grade(self, answer):
        raise ZeroDivisionError


def care(*graders, panel=None):
    return Aftercare(run_id="run-1", task="draft_graph", book=BOOK, graders=graders, panel=panel)


PANEL = Panel(
    judges=(RubricJudge(name="rubric", route=route("openai", "gpt-4o"), criteria=("Complete.",)),),
    baseline="hybrid",
)


async def test_a_suites_graders_grade_beside_the_tasks_own_and_change_no_tier(tmp_path):
    plain = (await evaluated(tmp_path / "plain"))[1]
    session, requests, grades = await evaluated(tmp_path / "more", aftercare=care(Counting(), Failing()))
    assert session.status is RunStatus.COMPLETED
    assert [r.quality_score for r in requests] == [r.quality_score for r in plain]
    found = {(g["grader"], g["score"], g["passed"]) for g in grades}
    assert {("counting", 0.6, False), ("failing", None, None)} <= found
    with open_store(tmp_path / "more").snapshot() as view:
        assert view.dicts("SELECT * FROM contents") == []  # nobody judges: no answer is kept


async def test_answers_are_kept_for_judges_without_tier_and_score(tmp_path):
    _, requests, _ = await evaluated(tmp_path, aftercare=care(panel=PANEL))
    with open_store(tmp_path).snapshot() as view:
        kept = view.dicts("SELECT request_id, kind, text FROM contents")
    assert {row["request_id"] for row in kept} == {r.request_id for r in requests}
    assert all(row["kind"] == "answer" and "graph" in load_json_exact(row["text"]) for row in kept)
    assert not any("quality_" in row["text"] for row in kept)


async def test_a_case_starts_only_if_judging_its_answer_fits_the_budget_too(tmp_path):
    task = GuardedTask(ORDINARY)
    unit = next(units([strategy()], load_suite("smoke").cases, 1))
    prompt = task.draft_prompt(task.parse_input(unit.case.body))
    alone = worst_case_usd(strategy(), prompt, BOOK, AT, repairs=True)
    judging = care(panel=PANEL).worst_case_usd(unit, prompt.max_tokens)
    just_the_case = alone + judging / 2
    session, requests, _ = await evaluated(
        tmp_path / "judged", budget=just_the_case, aftercare=care(panel=PANEL)
    )
    assert (session.status, requests) == (RunStatus.TRUNCATED, [])
    _, requests, _ = await evaluated(tmp_path / "plain", budget=just_the_case)
    assert len(requests) >= 1


pytestmark = pytest.mark.usefixtures("_scripts")


@pytest.fixture
def _scripts():
    yield
    SCRIPTS.clear()
