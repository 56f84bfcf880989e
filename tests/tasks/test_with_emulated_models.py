"""Both tasks over real HTTP: prompts as the adapters send them, answers as the emulated models give them."""

import asyncio
from collections import Counter
from pathlib import Path
from statistics import mean

import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.providers import ProviderSettings, build_adapter
from harness.providers.fixtures import FixturesAdapter
from harness.records import Tier
from harness.tasks.briefs import load_cases
from harness.tasks.decisions.draft_graph import DraftGraphPayload
from harness.tasks.decisions.suggest_options import SuggestOptionsPayload
from harness.tasks.registry import get_task
from tests.service.running import service

BRIEFS = Path(__file__).parents[2] / "scenarios" / "briefs"
GOLDEN = {name: load_cases(BRIEFS / f"{name}.jsonl") for name in ("golden", "suggest")}
SONNET = ("anthropic", "claude-3-5-sonnet-20241022")
MINI = ("openai", "gpt-4o-mini")


@pytest.fixture(scope="module")
def emulator():
    with running_emulator(EmulatorSettings(speed=500, seed=11)) as running:
        yield running


def adapter_for(emulator, kind, model):
    url = emulator.base_url if kind == "anthropic" else emulator.openai_base_url
    return build_adapter(ProviderSettings(name=kind, kind=kind, base_url=url, api_key="sk-emulated"), model)


async def draft_all(adapter, task, cases):
    """(case, input, answer, violations) of every case's first answer."""
    limit = asyncio.Semaphore(8)

    async def one(case):
        read = task.parse_input(case.body)
        async with limit:
            done = await adapter.generate(task.draft_prompt(read), call_id=case.case_id, timeout_s=30)
        answer = task.parse(done.text)
        return case, read, answer, task.validate(answer)

    return await asyncio.gather(*(one(case) for case in cases))


def graded(task, drafts):
    """Scores, labelled and extracted, of the drafts that break no rule."""
    good = [(case, read, answer) for case, read, answer, broken in drafts if not broken]
    labelled = [task.grade(answer, read, case.labels) for case, read, answer in good]
    return labelled, [task.grade(answer, read) for _, read, answer in good]


def share(scores, tier):
    return Counter(score.tier for score in scores)[tier] / len(scores)


async def test_a_good_model_is_mostly_high_and_a_small_one_mostly_medium(emulator):
    task = get_task("draft_graph")
    means = []
    for (kind, model), tier in ((SONNET, Tier.HIGH), (MINI, Tier.MEDIUM)):
        adapter = adapter_for(emulator, kind, model)
        drafts = await draft_all(adapter, task, GOLDEN["golden"])
        broken = sum(bool(violations) for *_, violations in drafts)
        assert 0.05 <= broken / len(drafts) <= 0.4, "the emulator's defects are seen as violations"
        labelled, extracted = graded(task, drafts)
        assert share(labelled, tier) > 0.5
        assert share(extracted, tier) > 0.5
        assert share(labelled, Tier.LOW) < 0.1
        means.append(mean(score.score for score in labelled))
        assert abs(means[-1] - mean(score.score for score in extracted)) < 0.05, "both bases tell one story"
        await adapter.aclose()
    assert means[0] > means[1] + 0.05


async def test_violations_are_repaired_by_the_model_or_by_rule(emulator):
    task = get_task("draft_graph")
    adapter = adapter_for(emulator, *MINI)
    drafts = await draft_all(adapter, task, GOLDEN["golden"])
    repaired_by_model = 0
    for case, read, answer, broken in drafts:
        if not broken:
            continue
        prompt = task.repair_prompt(read, answer, broken)
        done = await adapter.generate(prompt, call_id=f"{case.case_id}-repair", timeout_s=30)
        repaired = task.parse(done.text)
        repaired_by_model += not task.validate(repaired)
        by_rule = task.simple_repair(answer)
        assert task.validate(by_rule) == ()
        DraftGraphPayload.model_validate(task.payload(by_rule))
        assert task.grade(by_rule, read, case.labels).score > task.grade(answer, read, case.labels).score
    assert repaired_by_model > 0
    await adapter.aclose()


async def test_suggested_options_are_valid_and_a_better_model_scores_higher(emulator):
    task = get_task("suggest_options")
    means = []
    for kind, model in (SONNET, MINI):
        adapter = adapter_for(emulator, kind, model)
        drafts = await draft_all(adapter, task, GOLDEN["suggest"])
        assert all(not broken for *_, broken in drafts)
        for _, _, answer, _ in drafts:
            SuggestOptionsPayload.model_validate(task.payload(answer))
        labelled, _ = graded(task, drafts)
        assert share(labelled, Tier.LOW) == 0
        means.append(mean(score.score for score in labelled))
        await adapter.aclose()
    assert means[0] > means[1]


async def test_fixtures_serve_both_tasks():
    for name, cases in (("draft_graph", GOLDEN["golden"]), ("suggest_options", GOLDEN["suggest"])):
        task = get_task(name)
        drafts = await draft_all(FixturesAdapter(), task, cases)
        assert [(case.case_id, broken) for case, *_, broken in drafts if broken] == []


def test_the_service_answers_both_routes():
    with service() as client:
        graph = client.post(
            "/assist/draft-graph", json={"brief": "Rent or buy the van? Rent is $400."}
        ).json()
        options = client.post("/assist/suggest-options", json={"goal": "Cut waste by 20%"})
        blank = client.post("/assist/suggest-options", json={"goal": " "})
    assert {"graph", "rationales", "confidence", "quality_tier", "quality_score", "clarifier_status"} <= set(
        graph
    )
    assert options.status_code == 200
    assert 3 <= len(options.json()["options"]) <= 5
    assert {"quality_tier", "quality_score", "clarifier_status"} <= set(options.json())
    assert (blank.status_code, blank.json()["code"]) == (400, "BAD_INPUT")
