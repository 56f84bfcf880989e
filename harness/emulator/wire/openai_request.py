"""OpenAI's `/v1/chat/completions` request, as strict as the real one."""

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.emulator.answers import Question
from harness.emulator.models import ModelProfile, find_model
from harness.emulator.prompt_cache import Block
from harness.emulator.wire.ask import Ask, WireError, first_problem
from harness.emulator.wire.schema_rules import openai_problem

_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    audio: Any = None
    function_call: Any = None
    annotations: Any = None


class JsonSchema(_Strict):
    """A named schema, as both OpenAI routes carry it."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    body: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None
    description: str | None = None


class _ResponseFormat(_Strict):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class _Function(_Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool | None = None


class _Tool(_Strict):
    type: Literal["function"]
    function: _Function


class _StreamOptions(_Strict):
    include_usage: bool = False
    include_obfuscation: bool | None = None


class _Body(_Strict):
    model: str
    messages: list[_Message] = Field(min_length=1)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    response_format: _ResponseFormat | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    stop: str | list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    n: int | None = Field(default=None, ge=1, le=1)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    seed: int | None = None
    user: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    parallel_tool_calls: bool | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: Any = None
    prediction: Any = None
    audio: Any = None
    functions: Any = None
    function_call: Any = None
    web_search_options: Any = None


def read_chat(body: dict[str, Any]) -> Ask:
    """The ask in a `/v1/chat/completions` body.

    Raises:
        WireError: as the real API refuses it.
    """
    try:
        parsed = _Body.model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from error
    profile = known_model(parsed.model, "chat")
    _check(parsed, profile)
    schema, tool = _schema_and_tool(parsed)
    json_mode = parsed.response_format is not None and parsed.response_format.type == "json_object"
    texts = [(message.role, text_of(message.content)) for message in parsed.messages]
    options = parsed.stream_options
    return Ask(
        model=parsed.model,
        profile=profile,
        question=Question(
            system="\n\n".join(text for role, text in texts if role in ("system", "developer")),
            user="\n\n".join(text for role, text in texts if role == "user"),
            schema=schema,
            bare_json=schema is not None or json_mode,
        ),
        blocks=(*_extras(parsed, schema), *(Block(text=text) for _, text in texts)),
        messages=len(parsed.messages),
        stream=bool(parsed.stream),
        max_tokens=parsed.max_completion_tokens or parsed.max_tokens,
        tool=tool,
        stop=(parsed.stop,) if isinstance(parsed.stop, str) else tuple(parsed.stop or ()),
        include_usage=options is not None and options.include_usage,
        effort=parsed.reasoning_effort,
    )


def known_model(model: str, route: str | None = None) -> ModelProfile:
    """The model's profile, or the 404 of a model that does not exist, or not on that route.

    Args:
        model: as requested.
        route: `chat` or `responses`; None where both will do.
    """
    profile = find_model(model, "openai")
    if profile is None:
        raise WireError(
            404,
            "invalid_request_error",
            f"The model `{model}` does not exist or you do not have access to it.",
            code="model_not_found",
        )
    if route == "chat" and profile.responses_only:
        message = "This model is only supported in v1/responses and not in v1/chat/completions."
        raise WireError(404, "invalid_request_error", message, param="model")
    return profile


def refused(message: str, param: str | None, code: str | None = None) -> WireError:
    """A 400 in OpenAI's form."""
    return WireError(400, "invalid_request_error", message, param=param, code=code)


def validation_error(error: ValidationError) -> WireError:
    """The first problem, in OpenAI's words."""
    where, kind, message = first_problem(error)
    param = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    if kind == "extra_forbidden":
        return refused(f"Unknown parameter: '{param}'.", param, "unknown_parameter")
    if kind == "missing":
        return refused(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    return refused(f"Invalid value for '{param}': {message}.", param, "invalid_value")


def check_sampling(parsed: BaseModel, profile: ModelProfile) -> None:
    """Reasoning models take no sampling parameters but their defaults."""
    for name in _SAMPLING:
        value = getattr(parsed, name, None)
        if value is not None and not profile.sampling and value != (0 if "penalty" in name else 1):
            raise refused(
                f"Unsupported value: '{name}' does not support {value} with this model. Only the default "
                "value is supported.",
                name,
                "unsupported_value",
            )


def check_format(model: str, profile: ModelProfile, kind: str, schema: JsonSchema | None, param: str) -> None:
    """JSON schemas only where the model takes them, and only the ones strict mode takes."""
    if kind != "json_schema":
        return
    if not profile.json_schema:
        raise refused(
            f"Invalid parameter: '{param}' of type 'json_schema' is not supported with this model ({model}).",
            param,
        )
    if schema is None:
        raise refused(
            f"Missing required parameter: '{param}.json_schema'.",
            f"{param}.json_schema",
            "missing_required_parameter",
        )
    problem = openai_problem(schema.body) if schema.strict else None
    if problem is not None:
        raise refused(f"Invalid schema for {param} '{schema.name}': {problem}", param)


def text_of(content: Any) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    parts = content or []
    return "\n\n".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))


def _check(parsed: _Body, profile: ModelProfile) -> None:
    check_sampling(parsed, profile)
    if parsed.max_tokens is not None and not profile.sampling:
        raise refused(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        )
    if parsed.reasoning_effort is not None and not profile.reasoning_share:
        raise refused("Unrecognized request argument supplied: reasoning_effort", None)
    asked = parsed.max_completion_tokens or parsed.max_tokens or 0
    if asked > profile.max_output_tokens:
        raise refused(
            f"max_tokens is too large: {asked}. This model supports at most {profile.max_output_tokens} "
            f"completion tokens, whereas you provided {asked}.",
            "max_tokens",
            "invalid_value",
        )
    if parsed.stream_options is not None and not parsed.stream:
        raise refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options"
        )
    form = parsed.response_format
    if form is None:
        return
    check_format(parsed.model, profile, form.type, form.json_schema, "response_format")
    said = "json" in " ".join(text_of(message.content) for message in parsed.messages).lower()
    if form.type == "json_object" and not said:
        raise refused(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            "messages",
        )


def _schema_and_tool(parsed: _Body) -> tuple[dict[str, Any] | None, str | None]:
    form, choice = parsed.response_format, parsed.tool_choice
    if form is not None and form.json_schema is not None:
        return form.json_schema.body or {}, None
    tools = {tool.function.name: tool.function for tool in parsed.tools or ()}
    name: Any = None
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        if name not in tools:
            raise refused(f"Tool choice '{name}' not found in 'tools' parameter.", "tool_choice")
    elif choice == "required":
        name = next(iter(tools), None)
    return (tools[name].parameters, name) if name is not None else (None, None)


def _extras(parsed: _Body, schema: dict[str, Any] | None) -> list[Block]:
    """Tools and schemas count as prompt, and stand first in the cacheable prefix."""
    tools = [orjson.dumps(tool.model_dump(mode="json")).decode() for tool in parsed.tools or ()]
    if schema is not None and not tools:
        tools = [orjson.dumps(schema).decode()]
    return [Block(text=text) for text in tools]
