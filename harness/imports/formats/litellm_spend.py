"""LiteLLM's spend logs (`LiteLLM_SpendLogs`): rows of its database or answers of `/spend/logs`, CSV or JSON.

`spend` 0 with tokens is what LiteLLM writes for a model that it has no price for: unknown. The cached tokens
stand in `metadata.usage_object`; where that is missing, the input's parts are unknown, and so is our cost.
"""

import json
from typing import Any

from harness.imports.observed import CALL, Batch, JsonObject, Observed, token_fields
from harness.imports.tags import labelled
from harness.imports.times import nanoseconds
from harness.imports.words import error_kind, object_in, provider_name, role_name, status_in
from harness.providers.reading.counts import Counted, chat_usage
from harness.providers.reading.values import as_list, as_object, as_usd, as_word
from harness.records import NO_USAGE, ErrorKind, environment_name

NAME = "litellm-spend"
ABOUT = "LiteLLM's spend logs, CSV or JSON"


def recognises(value: JsonObject) -> bool:
    """A row of the table `LiteLLM_SpendLogs`."""
    return {"request_id", "spend", "startTime", "prompt_tokens"} <= value.keys()


def read(value: JsonObject, batch: Batch, environment: str | None) -> str | None:
    """Take one row in; see `formats.Reader`."""
    started, ended = nanoseconds(value.get("startTime")), nanoseconds(value.get("endTime"))
    own = as_word(value.get("request_id"))
    if started is None or own is None:
        return "a row without startTime or request_id"
    metadata = object_in(value.get("metadata"))
    error = as_object(metadata.get("error_information"))
    failed = value.get("status") == "failure" or metadata.get("status") == "failure"
    http_status = status_in(error.get("error_code")) if failed else None
    problem = error_kind(str(error.get("error_class") or "")[:200], http_status) if failed else None
    counted = Counted() if failed else _counted(batch, value, metadata)
    usage = NO_USAGE if failed and http_status and problem != ErrorKind.TIMEOUT.value else counted.usage
    first = nanoseconds(value.get("completionStartTime"))
    streamed = first is not None and ended is not None and started <= first < ended
    provider = as_word(value.get("custom_llm_provider"))
    model = as_word(value.get("model")) or "unknown"
    labels = [word for item in _list(value.get("request_tags")) if (word := as_word(item))]
    cached = str(value.get("cache_hit")).lower() == "true"
    batch.observed.append(
        Observed(
            trace=as_word(value.get("session_id")) or own,
            span=own,
            parent=None,
            kind=CALL,
            name=as_word(value.get("call_type")) or "completion",
            started_ns=started,
            ended_ns=ended if ended is not None and ended >= started else None,
            role=next((found for item in labels if (found := role_name(item))), None),
            status="error" if failed else "ok",
            error_kind=problem,
            error_message=as_word(error.get("error_message")),
            http_status=http_status,
            provider=provider_name(provider or "unknown"),
            model=model.removeprefix(f"{provider}/"),
            provider_request_id=None if failed else own,
            ttft_ms=(first - started) / 1e6 if streamed and first is not None else None,
            **token_fields(usage),
            context="cached" if cached else "standard",
            told_usd=None if failed else _cost(batch, value, counted),
            remark="; ".join(counted.remarks) or None,
            environment=environment_name(as_word(metadata.get("environment"))) or environment,
            tags=_tags(value, metadata, labels),
        )
    )
    return None


def _counted(batch: Batch, value: JsonObject, metadata: JsonObject) -> Counted:
    usage = as_object(metadata.get("usage_object")) or as_object(metadata.get("additional_usage_values"))
    own = {
        name: _count(batch, value, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    }
    return chat_usage({**usage, **own}, free_input=False, free_output=False)


def _count(batch: Batch, value: JsonObject, name: str) -> int | None:
    told = value.get(name)
    if isinstance(told, str):
        text = told.strip()
        if not text:
            return None
        told = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text
    if told is None or (isinstance(told, int) and not isinstance(told, bool)):
        return told
    batch.cannot_read(name)
    return None


def _cost(batch: Batch, value: JsonObject, counted: Counted) -> str | None:
    spend = value.get("spend")
    amount = as_usd(spend)
    if amount is None and spend not in (None, ""):
        batch.cannot_read("spend")
    if amount is None or (amount == 0 and str(value.get("cache_hit")).lower() != "true"):
        return None
    return format(amount, "f") if counted.usage is not None else None


def _list(value: Any) -> list[Any]:
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return as_list(value)


def _tags(value: JsonObject, metadata: JsonObject, labels: list[str]) -> str | None:
    found: dict[str, Any] = {
        "team": metadata.get("user_api_key_team_alias") or value.get("team_id"),
        "key": metadata.get("user_api_key_alias"),
        "model_group": value.get("model_group"),
    }
    return labelled(found, labels)
