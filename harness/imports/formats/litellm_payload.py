"""LiteLLM's standard logging payload, one a line: what its callbacks, its proxy and its webhook hand out.

The latency is `endTime - startTime`; `response_time` of a stream is the time to its first chunk. A cost of
0.0 beside `response_cost_failure_debug_info` is unknown. A stream whose caller did not ask for the usage has
a local estimate for tokens and cost: unknown both.
"""

from typing import Any

from harness.imports.observed import CALL, Batch, JsonObject, Observed, token_fields
from harness.imports.tags import labelled
from harness.imports.times import nanoseconds
from harness.imports.words import error_kind, provider_name, role_name, status_in
from harness.providers.reading.counts import Counted, chat_usage
from harness.providers.reading.values import as_list, as_object, as_usd, as_word
from harness.records import NO_USAGE, ErrorKind, environment_name

NAME = "litellm"
ABOUT = "LiteLLM's standard logging payload, a JSON object a line"

_ESTIMATED = "a local estimate, not the provider's count: usage unknown"
_CONTEXTS = {"priority": "priority", "flex": "flex", "batch": "batch"}


def recognises(value: JsonObject) -> bool:
    """By two names that no other tool writes together."""
    return ("litellm_call_id" in value and "startTime" in value) or "standard_logging_object" in value


def read(value: JsonObject, batch: Batch, environment: str | None) -> str | None:
    """Take one payload in; see `formats.Reader`."""
    told = as_object(value.get("standard_logging_object")) or value
    started, ended = nanoseconds(told.get("startTime")), nanoseconds(told.get("endTime"))
    own = as_word(told.get("litellm_call_id")) or as_word(told.get("id"))
    if started is None or own is None:
        return "a payload without startTime or id"
    failed = told.get("status") == "failure"
    error, response = as_object(told.get("error_information")), as_object(told.get("response"))
    http_status = status_in(error.get("error_code")) if failed else None
    failure = str(error.get("error_class") or told.get("error_str") or "")[:200]
    problem = error_kind(failure, http_status) if failed else None
    counted = _counted(told, response, failed=failed)
    refused = failed and http_status is not None and problem != ErrorKind.TIMEOUT.value
    usage = NO_USAGE if refused else None if failed else counted.usage
    metadata = as_object(told.get("metadata"))
    cached = told.get("cache_hit") is True
    model = as_word(told.get("model")) or "unknown"
    provider = provider_name(as_word(told.get("custom_llm_provider")) or "unknown")
    name = as_word(metadata.get("generation_name")) or as_word(told.get("call_type")) or "completion"
    labels = [word for item in as_list(told.get("request_tags")) if (word := as_word(item))]
    batch.observed.append(
        Observed(
            trace=as_word(told.get("trace_id")) or own,
            span=own,
            parent=None,
            kind=CALL,
            name=name,
            started_ns=started,
            ended_ns=ended if ended is not None and ended >= started else None,
            request_id=_request_id(metadata),
            role=role_name(name) or next((role for item in labels if (role := role_name(item))), None),
            status="error" if failed else "ok",
            error_kind=problem,
            error_message=as_word(error.get("error_message")) if failed else None,
            http_status=http_status,
            provider=provider,
            model=model.removeprefix(f"{told.get('custom_llm_provider')}/"),
            served_model=as_word(response.get("model")),
            provider_request_id=as_word(response.get("id")) if not failed else None,
            finish_reason=_finish(response),
            ttft_ms=_ttft_ms(told, started, ended),
            **token_fields(usage),
            context="cached" if cached else _CONTEXTS.get(_tier(told), "standard"),
            told_usd=None if failed or _ESTIMATED in counted.remarks else _cost(batch, told),
            remark="; ".join(counted.remarks) or None,
            environment=environment_name(as_word(metadata.get("environment"))) or environment,
            tags=_tags(told, metadata, labels),
        )
    )
    return None


def _counted(told: JsonObject, response: JsonObject, *, failed: bool) -> Counted:
    metadata = as_object(told.get("metadata"))
    usage = as_object(response.get("usage")) or as_object(metadata.get("usage_object"))
    if not usage:
        usage = {name: told.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    if _is_estimate(told, usage):
        return Counted(remarks=(_ESTIMATED,))
    return chat_usage(usage, free_input=failed, free_output=failed)


def _is_estimate(told: JsonObject, usage: JsonObject) -> bool:
    """A stream, its usage not asked for, and none of the details that every provider's own count has."""
    parameters = as_object(told.get("model_parameters"))
    streamed = told.get("stream") is True or parameters.get("stream") is True
    asked = as_object(parameters.get("stream_options")).get("include_usage") is True
    details = usage.get("prompt_tokens_details")
    return streamed and not asked and not details and "cache_read_input_tokens" not in usage


def _cost(batch: Batch, told: JsonObject) -> str | None:
    if told.get("response_cost_failure_debug_info"):
        return None
    cost = told.get("response_cost")
    amount = as_usd(cost)
    if amount is None and cost is not None:
        batch.cannot_read("cost_usd")
    return None if amount is None else format(amount, "f")


def _ttft_ms(told: JsonObject, started: int, ended: int | None) -> float | None:
    """Of a stream only: a whole answer's `completionStartTime` is its end."""
    first = nanoseconds(told.get("completionStartTime"))
    if (
        told.get("stream") is not True
        or first is None
        or first < started
        or (ended is not None and first > ended)
    ):
        return None
    return (first - started) / 1e6


def _finish(response: JsonObject) -> str | None:
    choices = as_list(response.get("choices"))
    return as_word(as_object(choices[0]).get("finish_reason")) if choices else None


def _tier(told: JsonObject) -> str:
    return str(as_object(told.get("cost_breakdown")).get("service_tier") or "").lower()


def _request_id(metadata: JsonObject) -> str | None:
    headers = as_object(metadata.get("requester_custom_headers"))
    own = as_object(metadata.get("requester_metadata"))
    return as_word(headers.get("x-request-id")) or as_word(own.get("request_id"))


def _tags(told: JsonObject, metadata: JsonObject, labels: list[str]) -> str | None:
    found: dict[str, Any] = {
        "team": metadata.get("user_api_key_team_alias"),
        "key": metadata.get("user_api_key_alias"),
        "model_group": told.get("model_group"),
    }
    return labelled(found, labels)
