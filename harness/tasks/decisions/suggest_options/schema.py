"""The contract at the edges of `suggest_options`: HTTP body, public answer, and the models' JSON schema."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from harness.tasks.decisions.suggest_options.answer import (
    MAX_OPTIONS,
    MAX_POINT_CHARS,
    MAX_POINTS,
    MAX_TITLE_CHARS,
    MIN_OPTIONS,
    MIN_POINTS,
    POINT_LISTS,
)
from harness.tasks.jsonschema import nullable, object_schema

MAX_GOAL_CHARS = 5000
MAX_CONSTRAINTS = 50

Point = Annotated[str, StringConstraints(min_length=1, max_length=MAX_POINT_CHARS)]
Points = Annotated[list[Point], Field(min_length=MIN_POINTS, max_length=MAX_POINTS)]


class SuggestOptionsBody(BaseModel):
    """The body of `POST /assist/suggest-options`. Unknown keys are ignored, wrong types refused."""

    model_config = ConfigDict(strict=True, frozen=True)

    goal: str = Field(min_length=1, max_length=MAX_GOAL_CHARS)
    constraints: dict[str, Any] | list[str] | str | None = Field(default=None)


class OptionModel(BaseModel):
    """One option of the public answer."""

    id: str
    title: str = Field(min_length=1, max_length=MAX_TITLE_CHARS)
    pros: Points
    cons: Points
    evidence_to_gather: Points


class SuggestOptionsPayload(BaseModel):
    """The task's part of the public answer; the pipeline adds `quality_tier` and `quality_score`."""

    options: list[OptionModel] = Field(min_length=MIN_OPTIONS, max_length=MAX_OPTIONS)
    issues: list[str] | None = None
    confidence: float | None = Field(ge=0, le=1)
    clarifier_status: Literal["complete", "max_rounds", "confident"]


_POINT_LIST = {
    "type": "array",
    "items": {"type": "string", "description": f"at most {MAX_POINT_CHARS} characters"},
}

ANSWER_SCHEMA: Mapping[str, Any] = object_schema(
    {
        "options": {
            "type": "array",
            "items": object_schema(
                {
                    "title": {"type": "string", "description": f"at most {MAX_TITLE_CHARS} characters"},
                    **dict.fromkeys(POINT_LISTS, _POINT_LIST),
                }
            ),
        },
        "confidence": nullable({"type": "number", "description": "your own, 0 to 1"}),
    }
)
"""What a model must answer with."""
