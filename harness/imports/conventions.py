"""What a span's attributes say, by whichever convention they were written.

    GenAI, old and new   https://opentelemetry.io/docs/specs/semconv/gen-ai/
    OpenInference        https://arize-ai.github.io/openinference/spec/attributes/semantic-conventions.html
    Traceloop            gen_ai.usage.prompt_tokens, llm.usage.*, traceloop.*
    Vercel AI SDK        ai.*, https://ai-sdk.dev/docs/ai-sdk-core/telemetry
    pydantic-ai, logfire gen_ai.usage.details.*, operation.cost

Names of one thing stand in one tuple, the newest first.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.imports.observed import AGENT, CALL, NO_TOKENS, STEP, Batch, Observed, tokens_of
from harness.imports.tags import flat
from harness.imports.words import error_kind, provider_name, role_name, status_in
from harness.providers.reading.counts import Counted, normalised
from harness.providers.reading.values import MOST_TOKENS, as_usd, as_word
from harness.records import NO_USAGE, ErrorKind, environment_name

Attributes = Mapping[str, Any]

_OPERATION = ("gen_ai.operation.name", "llm.request.type", "openinference.span.kind", "ai.operationId")
_CALL_WORDS = frozenset(
    {
        "chat",
        "text_completion",
        "completion",
        "generate_content",
        "llm",
        "responses",
        "messages",
        "acompletion",
        "aresponses",
    }
)
_AGENT_WORDS = frozenset(
    {
        "invoke_agent",
        "create_agent",
        "invoke_workflow",
        "agent",
        "chain",
        "execute_tool",
        "tool",
        "retriever",
        "reranker",
        "guardrail",
        "evaluator",
        "prompt",
        "embeddings",
        "embedding",
        "rerank",
    }
)
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider")
_MODEL = (
    "gen_ai.request.model",
    "llm.request.model_name",
    "llm.request.model",
    "llm.model_name",
    "ai.model.id",
)
_SERVED = (
    "gen_ai.response.model",
    "llm.response.model_name",
    "llm.response.model",
    "ai.response.model",
)
_ANSWER_ID = ("gen_ai.response.id", "llm.response.id", "ai.response.id")
_FINISH = (
    "gen_ai.response.finish_reasons",
    "llm.response.finish_reason",
    "llm.finish_reason",
    "ai.response.finishReason",
)
_INPUT = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
    "ai.usage.inputTokens",
    "ai.usage.promptTokens",
)
_OUTPUT = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
    "ai.usage.outputTokens",
    "ai.usage.completionTokens",
)
_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "gen_ai.usage.details.cache_read_tokens",
    "gen_ai.usage.details.cache_read_input_tokens",
    "gen_ai.usage.details.cached_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.usage.cache_read_input_tokens",
    "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens",
)
_WRITTEN = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.details.cache_write_tokens",
    "gen_ai.usage.details.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
    "llm.usage.cache_creation_input_tokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens",
)
_REASONING = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning",
    "gen_ai.usage.details.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
    "llm.usage.reasoning_tokens",
    "ai.usage.outputTokenDetails.reasoningTokens",
    "ai.usage.reasoningTokens",
)
_COST = (
    "gen_ai.usage.cost",
    "gen_ai.usage.total_cost",
    "operation.cost",
    "llm.cost.total",
    "gen_ai.cost.total_cost",
)
_FIRST_S = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
_FIRST_MS = ("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
_ENVIRONMENT = ("deployment.environment.name", "deployment.environment", "langfuse.environment")
_REQUEST_ID = (
    "http.request.header.x-request-id",
    "http.request.header.x_request_id",
    "http.response.header.x-request-id",
    "request_id",
    "request.id",
    "x_request_id",
    "harness.request_id",
)
_STATUS = (
    "http.response.status_code",
    "http.status_code",
    "error.http_status",
    "gen_ai.response.status_code",
)
_ROLE = (
    "harness.role",
    "gen_ai.prompt.name",
    "ai.telemetry.functionId",
    "traceloop.entity.name",
    "gen_ai.agent.name",
)
_TIER = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
)
_CONTEXTS = {"priority": "priority", "flex": "flex", "batch": "batch", "fast": "fast"}


def kind_of_span(attributes: Attributes) -> str:
    """CALL for one call of a model, AGENT for what sums up others (an agent, a chain, a tool), else STEP."""
    for name in _OPERATION:
        word = attributes.get(name)
        if isinstance(word, str):
            low = word.lower()
            if low in _CALL_WORDS or low.endswith((".dogenerate", ".dostream")):
                return CALL
            if low in _AGENT_WORDS or low.startswith("ai."):
                return AGENT
    told = any(name in attributes for name in _MODEL)
    return CALL if told and any(name in attributes for name in (*_INPUT, *_PROVIDER)) else STEP


def observed(
    batch: Batch,
    attributes: Attributes,
    *,
    trace: str,
    span: str,
    parent: str | None,
    name: str,
    started_ns: int,
    ended_ns: int | None,
    status: str | None,
    message: str | None,
    first_chunk_ns: int | None,
    environment: str | None,
    tags: str | None,
) -> Observed:
    """One span as an observation.

    Args:
        batch: counts the values that cannot be read.
        attributes: of the span.
        trace: the id of its trace; `span` and `parent` its own and its parent's.
        span: see above.
        parent: see above.
        name: of the span.
        started_ns: integer nanoseconds since 1970, as `ended_ns` and `first_chunk_ns`.
        ended_ns: see above.
        status: `ok`, `error`, or None for nothing said.
        message: of the status.
        first_chunk_ns: when the first piece came, where an event of the span says so.
        environment: as the resource tells it.
        tags: the resource's attributes as JSON text.
    """
    kind = kind_of_span(attributes)
    http_status = _first_status(attributes)
    failure = attributes.get("error.type") or attributes.get("exception.type")
    if failure is not None and status is None:
        status = "error"
    failed = status == "error"
    problem = error_kind(str(failure or message or "")[:200], http_status) if failed else None
    request_id = as_word(_first(attributes, _REQUEST_ID))
    role = _role(name, attributes)
    text = as_word(message) if failed else None
    if kind != CALL:
        return Observed(
            trace, span, parent, kind, name[:200], started_ns, ended_ns, request_id, role, status, problem,
            text, http_status, environment=environment, tags=tags,
        )  # fmt: skip
    counted = _counted(batch, attributes, failed=failed)
    tokens = tokens_of(counted.usage) if counted is not _NOTHING else NO_TOKENS
    if tokens is NO_TOKENS and failed and http_status is not None and problem != ErrorKind.TIMEOUT.value:
        tokens = tokens_of(NO_USAGE)  # the provider refused it before it did any work
    provider = _first(attributes, _PROVIDER)
    model, served = as_word(_first(attributes, _MODEL)), as_word(_first(attributes, _SERVED))
    cost = _first(attributes, _COST)
    told = None if cost is None else as_usd(cost)
    if cost is not None and told is None:
        batch.cannot_read("cost_usd")
    return Observed(
        trace, span, parent, kind, name[:200], started_ns, ended_ns, request_id, role, status, problem, text,
        http_status,
        provider_name(provider) if isinstance(provider, str) and provider else "unknown",
        model or served or "unknown",
        served,
        as_word(_first(attributes, _ANSWER_ID)),
        _finish(_first(attributes, _FINISH)),
        _ttft_ms(batch, attributes, started_ns, first_chunk_ns),
        *tokens,
        _CONTEXTS.get(str(_first(attributes, _TIER)).lower(), "standard"),
        None if told is None else format(told, "f"),
        "; ".join(counted.remarks) or None,
        environment,
        tags,
    )  # fmt: skip


def environment_of(attributes: Attributes) -> str | None:
    """The environment that a resource tells."""
    return environment_name(as_word(_first(attributes, _ENVIRONMENT)))


def tags_of(attributes: Attributes) -> dict[str, str]:
    """What of a resource tells one part of the traffic from another: flat strings."""
    return flat(
        {
            name: value
            for name, value in attributes.items()
            if name not in _ENVIRONMENT and not name.startswith(_UNTOLD)
        }
    )


_UNTOLD = (
    "telemetry.",
    "process.",
    "service.instance.id",
    "host.",
    "os.",
    "container.id",
    "k8s.pod",
    "user.",
)
"""Attributes that differ with every process, or that name somebody."""
_NOTHING = Counted()


def _counted(batch: Batch, attributes: Attributes, *, failed: bool) -> Counted:
    """The tokens. By all conventions the input includes cached tokens; parts beyond it stood beside it."""
    total, output = (
        _count(batch, attributes, _INPUT, "input_tokens"),
        _count(batch, attributes, _OUTPUT, "output_tokens"),
    )
    if total is None or output is None:
        return _NOTHING
    read = _count(batch, attributes, _READ, "cache_read_tokens") or 0
    written = _count(batch, attributes, _WRITTEN, "cache_write_tokens") or 0
    remarks: tuple[str, ...] = ()
    if read + written > total:
        total += read + written
        remarks = ("cached tokens were counted beside the input: added",)
    return normalised(
        input_tokens=total,
        output_tokens=output,
        read=read,
        written_5m=written,
        reasoning=_count(batch, attributes, _REASONING, "reasoning_tokens") or 0,
        free_input=failed,
        free_output=failed,
        remarks=remarks,
    )


def _count(batch: Batch, attributes: Attributes, names: Iterable[str], column: str) -> int | None:
    for name in names:
        value = attributes.get(name)
        if value is None:
            continue
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int and 0 <= value <= MOST_TOKENS:
            return value
        batch.cannot_read(column)
        return None
    return None


def _ttft_ms(batch: Batch, attributes: Attributes, started_ns: int, first_ns: int | None) -> float | None:
    for names, factor in ((_FIRST_S, 1000.0), (_FIRST_MS, 1.0)):
        value = _first(attributes, names)
        if value is not None:
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
                return value * factor
            batch.cannot_read("ttft_ms")
            return None
    return (first_ns - started_ns) / 1e6 if first_ns is not None and first_ns >= started_ns else None


def _finish(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return as_word(value)


def _role(name: str, attributes: Attributes) -> str | None:
    told = _first(attributes, _ROLE)
    return (role_name(told) if isinstance(told, str) else None) or role_name(name)


def _first_status(attributes: Attributes) -> int | None:
    value = _first(attributes, _STATUS)
    return None if value is None else status_in(value)


def _first(attributes: Attributes, names: Iterable[str]) -> Any:
    for name in names:
        value = attributes.get(name)
        if value is not None:
            return value
    return None
