"""The task end to end without a model: prompt, parse, validate, repair, grade, payload."""

import json

from harness.tasks.decisions.draft_graph import DraftGraphPayload
from harness.tasks.registry import get_task

BRIEF = "Should we raise the price to $49 or keep it at $39? Churn is 4%."

GOOD = {
    "graph": {
        "nodes": [
            {"id": "g", "kind": "goal", "label": "Grow revenue without losing customers"},
            {"id": "d", "kind": "decision", "label": "Which price?"},
            {"id": "o1", "kind": "option", "label": "Raise the price to $49"},
            {"id": "o2", "kind": "option", "label": "Keep the price at $39"},
            {"id": "x1", "kind": "outcome", "label": "Churn above 4%"},
            {"id": "x2", "kind": "outcome", "label": "Churn stays"},
        ],
        "edges": [
            {"id": "1", "from": "g", "to": "d", "provenance_source": "hypothesis"},
            {"id": "2", "from": "d", "to": "o1", "belief": 0.5,
             "provenance": {"source": "brief", "quote": "raise the price to $49"}},
            {"id": "3", "from": "d", "to": "o2",
             "provenance": {"source": "brief", "quote": "keep it at $39"}},
            {"id": "4", "from": "o1", "to": "x1", "provenance_source": "hypothesis"},
            {"id": "5", "from": "o2", "to": "x2", "provenance_source": "hypothesis"},
        ],
    },
    "rationales": [{"target": "o1", "why": "the brief asks"}, {"target": "2", "why": "named first"}],
    "confidence": 0.7,
}  # fmt: skip


def test_a_good_answer_passes_all_stages():
    task = get_task("draft_graph")
    task_input = task.parse_input({"brief": BRIEF})
    prompt = task.draft_prompt(task_input)
    assert f"<brief>\n{BRIEF}\n</brief>" in prompt.user
    answer = task.parse(f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nDone.")
    assert task.validate(answer) == ()
    payload = task.payload(answer)
    DraftGraphPayload.model_validate(payload)
    assert payload["clarifier_status"] == "complete"
    assert "issues" not in payload
    assert {rationale["target"] for rationale in payload["rationales"]} == {"o1", "d::o1::0"}
    assert task.grade(answer, task_input).tier == "high"
