"""Bedrock's `Converse` request, as strict as the real one; the model stands in the path."""

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from harness.emulator.answers import Question
from harness.emulator.models import ModelProfile, find_model
from harness.emulator.prompt_cache import Block
from harness.emulator.wire.ask import Ask, WireError, first_problem

MAX_CACHE_POINTS = 4


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class _CachePoint(_Strict):
    type: Literal["default"]
    ttl: Literal["5m", "1h"] = "5m"


class _Block(_Strict):
    text: str | None = Field(default=None, min_length=1)
    cache_point: _CachePoint | None = None
    tool_use: Any = None
    tool_result: Any = None
    reasoning_content: Any = None


class _Message(_Strict):
    role: Literal["user", "assistant"]
    content: list[_Block] = Field(min_length=1)


class _Inference(_Strict):
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    stop_sequences: list[str] | None = None


class _InputSchema(_Strict):
    body: dict[str, Any] = Field(alias="json")


class _ToolSpec(_Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = Field(default=None, min_length=1)
    input_schema: _InputSchema
    strict: bool | None = None


class _Tool(_Strict):
    tool_spec: _ToolSpec | None = None
    cache_point: _CachePoint | None = None


class _Named(_Strict):
    name: str


class _Choice(_Strict):
    auto: dict[str, Any] | None = None
    any: dict[str, Any] | None = None
    tool: _Named | None = None


class _ToolConfig(_Strict):
    tools: list[_Tool] = Field(min_length=1)
    tool_choice: _Choice | None = None


class _JsonSchema(_Strict):
    text: str = Field(alias="schema")
    name: str | None = None
    description: str | None = None


class _Structure(_Strict):
    json_schema: _JsonSchema


class _TextFormat(_Strict):
    type: Literal["json_schema"]
    structure: _Structure


class _Output(_Strict):
    text_format: _TextFormat | None = None
    effort: str | None = None


class _Body(_Strict):
    messages: list[_Message] = Field(min_length=1)
    system: list[_Block] = Field(default_factory=list)
    inference_config: _Inference = _Inference()
    tool_config: _ToolConfig | None = None
    output_config: _Output | None = None
    additional_model_request_fields: dict[str, Any] | None = None
    additional_model_response_field_paths: list[str] | None = None
    request_metadata: dict[str, str] | None = None
    performance_config: Any = None
    service_tier: Any = None


def read_converse(body: dict[str, Any], model: str, *, stream: bool) -> Ask:
    """The ask in a `Converse` body.

    Raises:
        WireError: as the real API refuses it.
    """
    try:
        parsed = _Body.model_validate(body)
    except ValidationError as error:
        where, _, message = first_problem(error)
        raise refused(f"{'.'.join(map(str, where))}: {message}") from error
    profile = find_model(model, "bedrock")
    if profile is None:
        raise refused("The provided model identifier is invalid.")
    _check(parsed, profile)
    schema, tool = _schema_and_tool(parsed, profile)
    blocks = _blocks(parsed)
    if sum(1 for block in blocks if block.cache_ttl) > MAX_CACHE_POINTS:
        raise refused(f"The number of cachePoint blocks exceeds the limit of {MAX_CACHE_POINTS}.")
    return Ask(
        model=model,
        profile=profile,
        question=Question(
            system=_text(parsed.system),
            user="\n\n".join(_text(m.content) for m in parsed.messages if m.role == "user"),
            schema=schema,
            bare_json=schema is not None,
        ),
        blocks=tuple(blocks),
        messages=len(parsed.messages),
        stream=stream,
        max_tokens=parsed.inference_config.max_tokens,
        tool=tool,
        stop=tuple(parsed.inference_config.stop_sequences or ()),
    )


def refused(message: str) -> WireError:
    """A 400 in Bedrock's form."""
    return WireError(400, "ValidationException", message)


def _check(parsed: _Body, profile: ModelProfile) -> None:
    wanted = parsed.inference_config
    if (wanted.max_tokens or 0) > profile.max_output_tokens:
        most = profile.max_output_tokens
        raise refused(
            f"The maximum tokens you requested exceeds the model limit of {most}. Try again with a maximum "
            f"tokens value that is lower than {most}."
        )
    for name in ("temperature", "top_p"):
        if getattr(wanted, name) is not None and not profile.sampling:
            raise refused(f"The model returned the following errors: `{name}` is deprecated for this model.")
    if parsed.messages[0].role != "user":
        raise refused("A conversation must start with a user message.")
    if profile.min_cacheable_tokens is None and any(block.cache_ttl for block in _blocks(parsed)):
        raise WireError(
            403,
            "AccessDeniedException",
            "You invoked an unsupported model or your request did not allow prompt caching. See the "
            "documentation for more information.",
        )


def _schema_and_tool(parsed: _Body, profile: ModelProfile) -> tuple[dict[str, Any] | None, str | None]:
    form = parsed.output_config.text_format if parsed.output_config is not None else None
    if form is not None:
        if not profile.json_schema:
            raise refused("This model doesn't support the outputConfig.textFormat field.")
        try:
            schema = orjson.loads(form.structure.json_schema.text)
        except orjson.JSONDecodeError as error:
            raise refused("outputConfig.textFormat.structure.jsonSchema.schema: not valid JSON") from error
        return schema, None
    tools = parsed.tool_config
    if tools is None:
        return None, None
    if not profile.tools:
        raise refused("This model doesn't support tool use.")
    specs = {tool.tool_spec.name: tool.tool_spec for tool in tools.tools if tool.tool_spec is not None}
    choice = tools.tool_choice or _Choice()
    name = choice.tool.name if choice.tool else next(iter(specs), None) if choice.any is not None else None
    if name is None:
        return None, None
    if name not in specs:
        raise refused(f"The tool choice '{name}' does not match any tool of the toolConfig.")
    return specs[name].input_schema.body, name


def _blocks(parsed: _Body) -> list[Block]:
    """The prompt in the cache's order: tools, format, system, messages; a cache point marks a block."""
    blocks: list[Block] = []
    for tool in parsed.tool_config.tools if parsed.tool_config else ():
        spec = tool.tool_spec
        if spec is not None:
            schema = orjson.dumps(spec.input_schema.body).decode()
            blocks.append(Block(text=f"{spec.name}{spec.description or ''}{schema}"))
        _mark(blocks, tool.cache_point)
    if parsed.output_config is not None and parsed.output_config.text_format is not None:
        blocks.append(Block(text=parsed.output_config.text_format.structure.json_schema.text))
    for block in (*parsed.system, *(block for message in parsed.messages for block in message.content)):
        if block.cache_point is None:
            blocks.append(Block(text=block.text or orjson.dumps(block.model_dump()).decode()))
        _mark(blocks, block.cache_point)
    return blocks


def _mark(blocks: list[Block], point: _CachePoint | None) -> None:
    if point is not None and blocks:
        blocks[-1] = Block(text=blocks[-1].text, cache_ttl=point.ttl)


def _text(blocks: list[_Block]) -> str:
    return "\n\n".join(block.text for block in blocks if block.text)
