"""Suites, plans, admission and guarded grading, without processes."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from harness.errors import ConfigError, CostGuardError
from harness.evaluation import GuardedTask, load_suite, units
from harness.evaluation.admission import Admission, worst_case_usd
from harness.evaluation.grading import is_graded
from harness.orchestration import Route, Strategy, StrategyType, resolve_routing, resolve_strategy
from harness.pricing import Budget, PriceBook
from harness.providers import ProviderSettings
from harness.records import is_valid_request_id
from harness.tasks.registry import get_task

AT = datetime(2026, 11, 1, tzinfo=UTC)
ROUTE = Route(provider="openai", model="gpt-4o-mini", settings=ProviderSettings(name="openai", kind="openai"))
SINGLE = Strategy(name="single", type=StrategyType.SINGLE, draft=ROUTE, repair=ROUTE)
OTHER = Strategy(name="other", type=StrategyType.SINGLE, draft=ROUTE, repair=ROUTE)
CASE = '{"case_id": "a", "archetype": "x", "industry": "y", "brief": "Hire or wait?"}\n'


def write_suite(folder, text, dataset=CASE):
    (folder / "cases.jsonl").write_text(dataset)
    path = folder / "suite.yaml"
    path.write_text(text)
    return str(path)


GOOD = "name: mine\ntask: draft_graph\ndataset: cases.jsonl\nstrategies: [hybrid]\n"


def test_built_in_suites_resolve_by_name_and_own_ones_by_path(tmp_path):
    assert {load_suite(name).name for name in ("golden", "smoke", "suggest")} == {
        "golden",
        "smoke",
        "suggest",
    }
    assert len(load_suite("golden").cases) >= 40
    assert load_suite(write_suite(tmp_path, GOOD)).repeats == 1


def test_a_suites_own_strategy_files_stand_beside_it(tmp_path):
    path = write_suite(tmp_path, GOOD.replace("[hybrid]", "[hybrid, ./cheap.yaml]"))
    assert load_suite(path).strategies == ("hybrid", str(tmp_path / "cheap.yaml"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD + "repeats: 0\n", "repeats"),
        (GOOD + "colour: red\n", "colour"),
        (GOOD.replace("[hybrid]", "[]"), "strategies"),
        (GOOD.replace("cases.jsonl", "none.jsonl"), "none.jsonl"),
        (GOOD.replace("name: mine", "name: &a mine\nx: *a"), "aliases are not allowed"),
        ("- a\n", "is not a mapping of names to values"),
        ("name: [\n", "is not a suite that can be read"),
    ],
)
def test_a_wrong_suite_is_one_sentence_that_names_it(tmp_path, text, problem):
    with pytest.raises(ConfigError, match=re.escape(problem)):
        load_suite(write_suite(tmp_path, text))


def test_the_digest_changes_with_the_cases_not_with_the_suite(tmp_path):
    first = load_suite(write_suite(tmp_path, GOOD)).digest
    assert load_suite(write_suite(tmp_path, GOOD + "repeats: 3\n")).digest == first
    assert load_suite(write_suite(tmp_path, GOOD, CASE.replace("wait", "fire"))).digest != first


def test_units_keep_strategies_alike_wherever_a_run_ends():
    cases = load_suite("smoke").cases
    planned = list(units([SINGLE, OTHER], cases, 2))
    assert [unit.seq for unit in planned] == list(range(24))
    for end in range(1, 25):
        counts = [sum(unit.strategy.name == name for unit in planned[:end]) for name in ("single", "other")]
        assert max(counts) - min(counts) <= 1


def test_request_ids_are_valid_distinct_and_the_same_again():
    cases = load_suite("golden").cases
    planned = list(units([SINGLE, OTHER], cases, 3))
    ids = [unit.request_id("run-1", generation) for unit in planned for generation in (1, 2)]
    assert len(set(ids)) == len(ids)
    assert all(is_valid_request_id(found) for found in ids)
    assert ids == [unit.request_id("run-1", generation) for unit in planned for generation in (1, 2)]


def test_a_long_or_odd_case_id_still_makes_a_valid_request_id():
    (case, *_) = load_suite("smoke").cases
    for name in ("x" * 300, "préço/1 \n", "a|b"):
        odd = type(case)(case_id=name, archetype="x", industry="y", body={}, labels=None)
        (unit,) = units([SINGLE], [odd], 1)
        assert is_valid_request_id(unit.request_id("run-" + "0" * 26))


def test_a_case_is_admitted_only_beside_the_worst_of_those_under_way():
    admission = Admission(Budget("evaluation", Decimal(1)))
    first = admission.admit(1, Decimal("0.6"))
    assert first is not None
    assert admission.admit(2, Decimal("0.5")) is None
    first.budget.reserve(Decimal("0.6")).settle(Decimal("0.1"))
    assert admission.admit(2, Decimal("0.5")) is None  # it might still repair
    admission.release(1)
    assert admission.admit(2, Decimal("0.9")) is not None
    with pytest.raises(CostGuardError):
        admission.budget.reserve(Decimal("0.91"))


def test_without_a_limit_everything_is_admitted():
    admission = Admission(Budget("evaluation", None))
    assert all(admission.admit(seq, Decimal(10**6)) for seq in range(5))


def test_the_worst_case_counts_the_repair_and_the_dearer_routes():
    routing = resolve_routing({"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"})
    task, book = get_task("draft_graph"), PriceBook.load()
    prompt = task.draft_prompt(task.parse_input({"brief": "Hire or wait?"}))

    def worst(name, *, repairs=True):
        return worst_case_usd(resolve_strategy(routing, name), prompt, book, AT, repairs=repairs)

    assert worst("hybrid") > worst("hybrid", repairs=False) > Decimal("0.06")
    assert worst("cascade") > worst("all-anthropic", repairs=False)
    assert worst("all-openai") < worst("hybrid")


class BrokenGrader:
    """`draft_graph` with a grader that fails."""

    def __getattr__(self, name):
        return getattr(get_task("draft_graph"), name)

    def grade(self, answer, task_input, labels=None):
        raise ZeroDivisionError("no weights")


def test_a_grader_that_fails_gives_no_grade_and_says_why():
    quality = GuardedTask(BrokenGrader()).grade(None, None)
    assert not is_graded(quality)
    assert "ZeroDivisionError" in quality.detail["grader_failed"]
