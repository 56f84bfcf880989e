"""Anthropic's `/v1/messages` request, as strict as the real one."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.emulator.answers import Question
from harness.emulator.models import ModelProfile, find_model
from harness.emulator.prompt_cache import Block
from harness.emulator.wire.ask import Ask, WireError, first_problem
from harness.emulator.wire.schema_rules import anthropic_problem

MAX_BREAKPOINTS = 4


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _CacheControl(_Strict):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class _TextBlock(_Strict):
    type: Literal["text"]
    text: str = Field(min_length=1)
    cache_control: _CacheControl | None = None
    citations: Any = None


class _OtherBlock(BaseModel):
    model_config = ConfigDict(extra="allow")

    type: Literal[
        "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "search_result"
    ]
    cache_control: _CacheControl | None = None


class _Message(_Strict):
    role: Literal["user", "assistant", "system"]
    content: str | list[Annotated[_TextBlock | _OtherBlock, Field(discriminator="type")]]


class _Tool(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")
    description: str | None = None
    input_schema: dict[str, Any]
    strict: bool = False
    cache_control: _CacheControl | None = None


class _ToolChoice(_Strict):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Format(_Strict):
    type: Literal["json_schema"]
    json_schema: dict[str, Any] = Field(alias="schema")


class _OutputConfig(_Strict):
    format: _Format | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    task_budget: Any = None


class _Metadata(_Strict):
    user_id: str | None = None


class _Body(_Strict):
    model: str
    max_tokens: int = Field(ge=0)
    messages: list[_Message] = Field(min_length=1)
    system: str | list[_TextBlock] | None = None
    stream: bool = False
    stop_sequences: list[str] | None = None
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    metadata: _Metadata | None = None
    tools: list[_Tool] | None = None
    tool_choice: _ToolChoice | None = None
    thinking: dict[str, Any] | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    output_config: _OutputConfig | None = None
    cache_control: _CacheControl | None = None
    container: Any = None
    context_management: Any = None
    diagnostics: Any = None
    inference_geo: str | None = None
    mcp_servers: Any = None
    speed: Literal["standard", "fast"] | None = None


class _CountBody(_Body):
    max_tokens: int = 1


def read_messages(body: dict[str, Any], *, counting: bool = False) -> Ask:
    """The ask in a `/v1/messages` body, or in a `count_tokens` one.

    Raises:
        WireError: as the real API refuses it.
    """
    try:
        parsed = (_CountBody if counting else _Body).model_validate(body)
    except ValidationError as error:
        raise _invalid(_sentence(error)) from error
    profile = find_model(parsed.model, "anthropic")
    if profile is None:
        raise WireError(404, "not_found_error", f"model: {parsed.model}")
    _check(parsed, profile)
    schema, tool = _schema_and_tool(parsed)
    last = parsed.messages[-1]
    prefilled = last.role == "assistant" and _text(last.content).lstrip().startswith("{")
    user = "\n\n".join(_text(message.content) for message in parsed.messages if message.role == "user")
    return Ask(
        model=parsed.model,
        profile=profile,
        question=Question(
            system=_text(parsed.system or ""),
            user=user,
            schema=schema,
            bare_json=schema is not None or prefilled,
        ),
        blocks=tuple(_blocks(parsed)),
        messages=len(parsed.messages),
        stream=parsed.stream,
        max_tokens=parsed.max_tokens,
        tool=tool,
        stop=tuple(parsed.stop_sequences or ()),
    )


def _check_format(parsed: _Body, profile: ModelProfile) -> None:
    if parsed.output_config is None or parsed.output_config.format is None:
        return
    if not profile.json_schema:
        raise _invalid(f"'{parsed.model}' does not support output format.")
    problem = anthropic_problem(parsed.output_config.format.json_schema)
    if problem is not None:
        raise _invalid(f"output_config.format.schema: {problem}")


def _check(parsed: _Body, profile: ModelProfile) -> None:
    _check_format(parsed, profile)
    if parsed.max_tokens > profile.max_output_tokens:
        raise _invalid(
            f"max_tokens: {parsed.max_tokens} > {profile.max_output_tokens}, which is the maximum allowed "
            f"number of output tokens for {parsed.model}"
        )
    for name in ("temperature", "top_p", "top_k"):
        if getattr(parsed, name) is not None and not profile.sampling:
            raise _invalid(f"`{name}` is deprecated for this model.")
    for index, tool in enumerate(parsed.tools or ()):
        if tool.input_schema.get("type") != "object":
            raise _invalid(f"tools.{index}.custom.input_schema.type: Field required")
    if parsed.messages[0].role != "user":
        raise _invalid('messages: first message must use the "user" role')
    if sum(1 for block in _blocks(parsed) if block.cache_ttl) > MAX_BREAKPOINTS:
        raise _invalid(f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided.")


def _schema_and_tool(parsed: _Body) -> tuple[dict[str, Any] | None, str | None]:
    if parsed.output_config is not None and parsed.output_config.format is not None:
        return parsed.output_config.format.json_schema, None
    choice = parsed.tool_choice
    if choice is None or choice.type not in ("any", "tool"):
        return None, None
    tools = {tool.name: tool for tool in parsed.tools or ()}
    name = choice.name if choice.type == "tool" else next(iter(tools), None)
    if name is None or name not in tools:
        raise _invalid(f"tool_choice: Tool '{name}' not found in provided tools")
    return tools[name].input_schema, name


def _blocks(parsed: _Body) -> list[Block]:
    blocks = []
    for tool in parsed.tools or ():
        text = f"{tool.name}{tool.description or ''}{orjson.dumps(tool.input_schema).decode()}"
        blocks.append(Block(text=text, cache_ttl=_ttl(tool.cache_control)))
    if parsed.output_config is not None and parsed.output_config.format is not None:
        blocks.append(Block(text=orjson.dumps(parsed.output_config.format.json_schema).decode()))
    contents: list[Any] = [parsed.system] if parsed.system else []
    contents += [message.content for message in parsed.messages]
    for content in contents:
        if isinstance(content, str):
            blocks.append(Block(text=content))
            continue
        for part in content:
            text = part.text if isinstance(part, _TextBlock) else orjson.dumps(part.model_dump()).decode()
            blocks.append(Block(text=text, cache_ttl=_ttl(part.cache_control)))
    if parsed.cache_control is not None and blocks:
        blocks[-1] = Block(text=blocks[-1].text, cache_ttl=parsed.cache_control.ttl)
    return blocks


def _ttl(control: _CacheControl | None) -> str | None:
    return None if control is None else control.ttl


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n\n".join(part.text for part in content if isinstance(part, _TextBlock))


def _invalid(message: str) -> WireError:
    return WireError(400, "invalid_request_error", message)


def _sentence(error: ValidationError) -> str:
    where, _, message = first_problem(error)
    return f"{'.'.join(map(str, where))}: {message}"
