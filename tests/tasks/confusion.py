"""The graders against graphs whose faults are known: what each noticed, missed, and imagined."""

import json
from collections import Counter, defaultdict
from pathlib import Path

from harness.tasks.briefs import load_cases
from harness.tasks.registry import get_task
from tests.tasks.damages import GRADERS, NOTICED_DROP, changed_answers
from tests.tasks.good_graphs import GOOD, good_answer

CASES = {
    case.case_id: case
    for case in load_cases(Path(__file__).parents[2] / "scenarios" / "briefs" / "golden.jsonl")
}
TASK = get_task("draft_graph")


def score_of(case_id, answer):
    case = CASES[case_id]
    return TASK.grade(TASK.parse(json.dumps(answer)), TASK.parse_input(case.body), case.labels)


def outcomes():
    """(case id, change, score of the good graph, score of the changed one) for every changed graph."""
    good = {case_id: score_of(case_id, good_answer(case_id)) for case_id in GOOD}
    for case_id, change, answer in changed_answers():
        yield case_id, change, good[case_id], score_of(case_id, answer)


def noticed(good, changed):
    """The graders whose part fell."""
    return {
        grader
        for grader in GRADERS
        if good.parts.get(grader, 0) - changed.parts.get(grader, 0) >= NOTICED_DROP
    }


def confusion():
    """By grader: counts of right and wrong alarms; by change: how often each grader noticed, mean score."""
    by_grader = {grader: Counter() for grader in GRADERS}
    by_change = defaultdict(lambda: {"n": 0, "score": 0.0, "tiers": Counter(), "noticed": Counter()})
    for _, change, good, changed in outcomes():
        fell = noticed(good, changed)
        row = by_change[change.name]
        row["n"] += 1
        row["score"] += changed.score
        row["tiers"][changed.tier.value] += 1
        row["expected"] = change.notice
        for grader in GRADERS:
            row["noticed"][grader] += grader in fell
            if grader in change.may:
                continue
            wanted = grader in change.notice
            name = ("true" if wanted == (grader in fell) else "false") + (
                " alarm" if grader in fell else " calm"
            )
            by_grader[grader][name] += 1
    return by_grader, dict(by_change)
