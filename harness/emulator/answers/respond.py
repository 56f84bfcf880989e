"""What a model of known behaviour says to a prompt, recognised by its tags, its schema, or what it holds."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from harness.emulator.answers.defects import with_defect
from harness.emulator.answers.graph import draft_answer
from harness.emulator.answers.judge import (
    DEFAULT_LEANINGS,
    JudgeLeanings,
    candidates_in,
    judge_answer,
    judgement_in_schema,
    verdict_of,
)
from harness.emulator.answers.mend import repair_answer
from harness.emulator.answers.schema import NOTHING, fitted
from harness.emulator.answers.suggest import suggest_answer
from harness.emulator.draws import Draws

MAX_STARTS = 100
"""How many opening braces of a prompt are tried as the beginning of a graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked, whatever the wire.

    Attributes:
        system: the system prompt.
        user: the user's text.
        schema: the JSON schema of the answer, from a format or a forced tool; None for free text.
        bare_json: the answer must be nothing but JSON (a schema, a tool, JSON mode, or a prefilled brace).
    """

    system: str
    user: str
    schema: dict[str, Any] | None = None
    bare_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How good the model is at it, see `ModelProfile`; and what sways it as a judge."""

    quality: float
    defect_rate: float
    repair_success: float
    leanings: JudgeLeanings = DEFAULT_LEANINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The text, what kind of prompt it answers, the defect put in, if any, and a judge's verdict."""

    text: str
    kind: str
    defect: str | None = None
    verdict: str | None = None


def respond(question: Question, behaviour: Behaviour, draws: Draws) -> Answer:
    """The model's answer; the same question and draws always give the same words."""
    properties = _property_names(question.schema)
    candidates = candidates_in(question.user)
    if candidates and not properties & {"graph", "nodes", "options"}:
        return _judgement(question, candidates, behaviour, draws)
    broken = _graph_in(question.user)
    about_graphs = not properties or bool(properties & {"graph", "nodes"})
    if broken is not None and about_graphs:
        succeeds = draws.uniform("repair") < behaviour.repair_success
        value = repair_answer(broken, succeeds=succeeds)
        return _written(question, value, "repair", None if succeeds else "unrepaired", draws)
    goal = _tagged(question.user, "goal")
    if "options" in properties or (goal and not properties & {"graph", "nodes"}):
        constraints = _tagged(question.user, "constraints")
        value = suggest_answer(goal or question.user, constraints or "", draws, behaviour.quality)
        return _written(question, value, "suggest", None, draws)
    brief = _tagged(question.user, "brief")
    if about_graphs and (brief is not None or properties):
        return _draft(question, question.user if brief is None else brief, behaviour, draws)
    return _anything(question, draws)


def _anything(question: Question, draws: Draws) -> Answer:
    if question.schema is not None:
        return _written(question, NOTHING, "schema", None, draws)
    if question.bare_json:
        return Answer(text='{"answer":"Noted.","confidence":0.7}', kind="json")
    return Answer(text=_prose(question.user, draws), kind="text")


def _draft(question: Question, brief: str, behaviour: Behaviour, draws: Draws) -> Answer:
    value = draft_answer(brief, draws, behaviour.quality)
    defect = None
    if draws.uniform("defect") < behaviour.defect_rate:
        value["graph"], defect = with_defect(value["graph"], draws)
    return _written(question, value, "draft", defect, draws)


def _judgement(
    question: Question, candidates: list[tuple[str, str]], behaviour: Behaviour, draws: Draws
) -> Answer:
    value = judge_answer(question.user, candidates, draws, behaviour.leanings)
    verdict = verdict_of(value)
    if question.schema is not None:
        value = judgement_in_schema(value, question.schema)
    return replace(_written(question, value, "judge", None, draws), verdict=verdict)


def _written(question: Question, value: Any, kind: str, defect: str | None, draws: Draws) -> Answer:
    if question.schema is not None:
        names = _property_names(question.schema)
        if isinstance(value, dict) and "nodes" in names and "graph" not in names:
            value = value.get("graph", value)
        value = fitted(value, question.schema, draws)
    text = orjson.dumps(value).decode()
    if not question.bare_json:
        text = f"```json\n{text}\n```"
    return Answer(text=text, kind=kind, defect=defect)


def _property_names(schema: dict[str, Any] | None) -> set[str]:
    properties = (schema or {}).get("properties")
    return set(properties) if isinstance(properties, dict) else set()


def _tagged(text: str, tag: str) -> str | None:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return max(found, key=len).strip() if found else None


def _graph_in(text: str) -> dict[str, Any] | None:
    """The graph between graph tags, else in the largest JSON object of the text that holds one."""
    tagged = _tagged(text, "graph")
    if tagged is None and '"nodes"' not in text:
        return None
    for source in (tagged, text):
        graphs = [value for value in _objects(source or "") if "nodes" in value or "graph" in value]
        if graphs:
            return max(graphs, key=lambda value: len(str(value)))
    return None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects in a text, outermost only, from the first places that could begin one."""
    decoder, start = json.JSONDecoder(), text.find("{")
    for _ in range(MAX_STARTS):
        if start == -1:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _prose(user: str, draws: Draws) -> str:
    words = " ".join(user.split()).split(" ")
    rng = draws.stream("prose")
    topic = " ".join(words[: rng.randint(4, 8)]).strip(" .,:;?!") or "your question"
    return (
        f"On {topic!r}: the figures given point to a measured first step. "
        "Start small, watch the cost and the delay each week, and extend what works. "
        f"Review the choice after {rng.randint(4, 12)} weeks."
    )
