"""A part of the fault matrix in every test run; the whole of it is `make prove`."""

from pathlib import Path

from harness.providers.fixtures import FixturesAdapter
from harness.tasks.briefs import load_cases
from harness.tasks.registry import get_task
from tests.campaigns.campaign_faults import cells, run_matrix

SLOW = ("stall in mid-answer", "first byte after the deadline")


async def test_each_fault_is_classified_retried_and_priced_as_it_should() -> None:
    chosen = [
        cell
        for cell in cells()
        if cell.stream and not cell.lasting and not cell.adapter.local and cell.fault.name not in SLOW
    ]
    assert len(chosen) >= 30
    seen = await run_matrix(chosen, at_once=8)
    assert {one.cell.label: one.problems for one in seen if one.problems} == {}


async def test_the_fixtures_answer_every_golden_brief_without_breaking_a_rule() -> None:
    task = get_task("draft_graph")
    adapter = FixturesAdapter()
    for case in load_cases(Path(__file__).parents[2] / "scenarios" / "briefs" / "golden.jsonl"):
        prompt = task.draft_prompt(task.parse_input(case.body))
        answer = await adapter.generate(prompt, call_id="c", timeout_s=1)
        assert not task.validate(task.parse(answer.text)), case.case_id
