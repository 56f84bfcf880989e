"""The prompt's worked example keeps its own rules and is long enough to be cached."""

import json

from harness.tasks.decisions.draft_graph.example import EXAMPLE_ANSWER, EXAMPLE_BRIEF
from harness.tasks.decisions.draft_graph.prompts import DRAFT_SYSTEM, REPAIR_SYSTEM
from harness.tasks.decisions.draft_graph.schema import ANSWER_SCHEMA
from harness.tasks.registry import get_task

MIN_CACHEABLE_TOKENS = 1024
CHARS_PER_TOKEN = 4


def test_the_example_is_a_perfect_answer_to_its_brief():
    task = get_task("draft_graph")
    answer = task.parse(json.dumps(EXAMPLE_ANSWER))
    assert task.validate(answer) == ()
    score = task.grade(answer, task.parse_input({"brief": EXAMPLE_BRIEF}))
    assert score.parts["coverage"] == 1, score.detail
    assert score.parts["topology"] == 1
    assert score.score > 0.95


def test_the_example_has_every_property_that_the_schema_requires():
    node, edge = EXAMPLE_ANSWER["graph"]["nodes"][0], EXAMPLE_ANSWER["graph"]["edges"][0]
    graph = ANSWER_SCHEMA["properties"]["graph"]["properties"]
    assert list(node) == graph["nodes"]["items"]["required"]
    assert set(edge) == set(graph["edges"]["items"]["required"])
    assert set(EXAMPLE_ANSWER) == set(ANSWER_SCHEMA["required"])


def test_the_stable_part_can_be_cached():
    for system in (DRAFT_SYSTEM, REPAIR_SYSTEM):
        assert len(system) / CHARS_PER_TOKEN > MIN_CACHEABLE_TOKENS
