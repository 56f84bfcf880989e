"""OpenAI's `/v1/responses` request, as strict as the real one."""

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.emulator.answers import Question
from harness.emulator.prompt_cache import Block
from harness.emulator.wire.ask import Ask
from harness.emulator.wire.openai_request import (
    JsonSchema,
    check_format,
    check_sampling,
    known_model,
    refused,
    text_of,
    validation_error,
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Format(JsonSchema):
    type: Literal["text", "json_object", "json_schema"]
    name: str = Field(default="answer", pattern=r"^[a-zA-Z0-9_-]{1,64}$")


class _Text(_Strict):
    format: _Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class _Item(BaseModel):
    model_config = ConfigDict(extra="allow")

    type: str = "message"
    role: Literal["user", "system", "developer", "assistant"] | None = None
    content: str | list[dict[str, Any]] | None = None


class _Reasoning(BaseModel):
    model_config = ConfigDict(extra="allow")

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None


class _Body(_Strict):
    model: str
    input: str | list[_Item] = Field(min_length=1)
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    max_output_tokens: int | None = Field(default=None, ge=16)
    text: _Text | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    reasoning: _Reasoning | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_logprobs: int | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    service_tier: str | None = None
    truncation: Literal["auto", "disabled"] | None = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None
    background: Literal[False] | None = None
    previous_response_id: None = None
    conversation: None = None
    max_tool_calls: int | None = None
    prompt: Any = None
    moderation: Any = None


def read_responses(body: dict[str, Any]) -> Ask:
    """The ask in a `/v1/responses` body.

    Raises:
        WireError: as the real API refuses it.
    """
    try:
        parsed = _Body.model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from error
    profile = known_model(parsed.model, "responses")
    check_sampling(parsed, profile)
    form = parsed.text.format if parsed.text is not None else None
    kind = form.type if form is not None else "text"
    check_format(parsed.model, profile, kind, form, "text.format")
    if (parsed.max_output_tokens or 0) > profile.max_output_tokens:
        raise refused(
            f"max_output_tokens must be at most {profile.max_output_tokens} for this model.",
            "max_output_tokens",
        )
    texts = _texts(parsed)
    schema = form.body if form is not None and kind == "json_schema" else None
    extras = [] if schema is None else [Block(text=orjson.dumps(schema).decode())]
    return Ask(
        model=parsed.model,
        profile=profile,
        question=Question(
            system="\n\n".join(text for role, text in texts if role in ("system", "developer")),
            user="\n\n".join(text for role, text in texts if role == "user"),
            schema=schema,
            bare_json=kind != "text",
        ),
        blocks=(*extras, *(Block(text=text) for _, text in texts)),
        messages=len(texts),
        stream=bool(parsed.stream),
        max_tokens=parsed.max_output_tokens,
        effort=parsed.reasoning.effort if parsed.reasoning is not None else None,
    )


def _texts(parsed: _Body) -> list[tuple[str, str]]:
    texts = [] if parsed.instructions is None else [("system", parsed.instructions)]
    if isinstance(parsed.input, str):
        return [*texts, ("user", parsed.input)]
    return [*texts, *((item.role or "user", text_of(item.content)) for item in parsed.input)]
