"""Gemini's `generateContent` request, as strict as the real one; the model stands in the path."""

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from harness.emulator.answers import Question
from harness.emulator.models import ModelProfile, find_model
from harness.emulator.prompt_cache import Block
from harness.emulator.wire.ask import Ask, WireError, first_problem


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class _Part(_Strict):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Any = None
    file_data: Any = None
    function_call: Any = None
    function_response: Any = None


class _Content(_Strict):
    role: Literal["user", "model"] | None = None
    parts: list[_Part] = Field(min_length=1)


class _Thinking(_Strict):
    include_thoughts: bool | None = None
    thinking_budget: int | None = Field(default=None, ge=-1)
    thinking_level: Literal["MINIMAL", "LOW", "MEDIUM", "HIGH", "minimal", "low", "medium", "high"] | None = (
        None
    )


class _Generation(_Strict):
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: float | None = Field(default=None, ge=1)
    candidate_count: int | None = Field(default=None, ge=1, le=1)
    max_output_tokens: int | None = Field(default=None, ge=1)
    stop_sequences: list[str] | None = Field(default=None, max_length=5)
    response_mime_type: Literal["text/plain", "application/json"] | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: dict[str, Any] | None = None
    thinking_config: _Thinking | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_modalities: list[str] | None = None


class _Body(_Strict):
    contents: list[_Content] = Field(min_length=1)
    system_instruction: _Content | None = None
    generation_config: _Generation = _Generation()
    safety_settings: list[dict[str, Any]] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_config: dict[str, Any] | None = None
    cached_content: None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None
    store: bool | None = None


def read_content(body: dict[str, Any], model: str, *, stream: bool) -> Ask:
    """The ask in a `generateContent` body.

    Raises:
        WireError: as the real API refuses it.
    """
    try:
        parsed = _Body.model_validate(body)
    except ValidationError as error:
        raise _invalid(error) from error
    profile, wanted = known_gemini(model), parsed.generation_config
    schema = _schema(wanted)
    _check(wanted, profile)
    system = _text(parsed.system_instruction)
    texts = [_text(content) for content in parsed.contents]
    given = [orjson.dumps(part).decode() for part in (parsed.tools, schema) if part]
    thinking = wanted.thinking_config or _Thinking()
    return Ask(
        model=model,
        profile=profile,
        question=Question(
            system=system,
            user="\n\n".join(
                text for text, c in zip(texts, parsed.contents, strict=True) if c.role != "model"
            ),
            schema=schema,
            bare_json=wanted.response_mime_type == "application/json",
        ),
        blocks=tuple(Block(text=text) for text in (system, *given, *texts) if text),
        messages=len(texts) + bool(system),
        stream=stream,
        max_tokens=wanted.max_output_tokens,
        stop=tuple(wanted.stop_sequences or ()),
        effort="none" if thinking.thinking_budget == 0 else (thinking.thinking_level or "").lower() or None,
        thoughts=bool(thinking.include_thoughts),
    )


def known_gemini(model: str) -> ModelProfile:
    """The model's profile, or the 404 of a model that does not exist."""
    profile = find_model(model, "gemini")
    if profile is None:
        message = (
            f"models/{model} is not found for API version v1beta, or is not supported for generateContent. "
            "Call ListModels to see the list of available models and their supported methods."
        )
        raise WireError(404, "NOT_FOUND", message)
    return profile


def _check(wanted: _Generation, profile: ModelProfile) -> None:
    if (wanted.max_output_tokens or 0) > profile.max_output_tokens:
        most = profile.max_output_tokens
        raise _refused(
            f"Unable to submit request because it has a maxOutputTokens value of {wanted.max_output_tokens} "
            f"but the supported range is from 1 (inclusive) to {most + 1} (exclusive)."
        )
    thinking = wanted.thinking_config
    if thinking is None:
        return
    if not profile.reasoning_share and (thinking.thinking_budget or thinking.thinking_level):
        raise _refused("Thinking is not enabled for this model.")
    if thinking.thinking_budget is not None and thinking.thinking_level is not None:
        raise _refused("You can only set only one of thinking budget and thinking level.")
    if thinking.thinking_level is not None and profile.name.startswith("gemini-2.5"):
        raise _refused("Thinking level is not supported for this model.")


def _schema(wanted: _Generation) -> dict[str, Any] | None:
    if wanted.response_schema is not None and wanted.response_json_schema is not None:
        raise _refused("Only one of response_schema and response_json_schema may be set.")
    schema = wanted.response_json_schema or wanted.response_schema
    if schema is not None and wanted.response_mime_type != "application/json":
        raise _refused("Response schema is only supported with response mime type application/json.")
    return None if schema is None else _lower_types(schema)


def _lower_types(schema: Any) -> Any:
    """The schema with OpenAPI's `OBJECT` as JSON schema's `object`."""
    if isinstance(schema, list):
        return [_lower_types(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.lower() if key == "type" and isinstance(value, str) else _lower_types(value)
        for key, value in schema.items()
    }


def _text(content: _Content | None) -> str:
    return "" if content is None else "\n\n".join(part.text for part in content.parts if part.text)


def _refused(message: str) -> WireError:
    return WireError(400, "INVALID_ARGUMENT", message)


def _invalid(error: ValidationError) -> WireError:
    """The first problem, in the words of Google's JSON reader."""
    where, kind, message = first_problem(error)
    parent = ".".join(str(part) for part in where[:-1])
    if kind == "extra_forbidden":
        at = f" at '{parent}'" if parent else ""
        return _refused(f'Invalid JSON payload received. Unknown name "{where[-1]}"{at}: Cannot find field.')
    return _refused(f"Invalid value at '{'.'.join(map(str, where))}': {message}")
