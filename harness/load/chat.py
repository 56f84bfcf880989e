"""Bare models over their own wire: OpenAI-compatible chat completions and Anthropic messages, streamed.

Records time to first token, inter-token latency, billed tokens and, where the price is known, the cost.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson

from harness.clock import SYSTEM_CLOCK
from harness.errors import UsageError
from harness.load.answer import Answer
from harness.load.exchange import Exchange, Response
from harness.load.preflight import is_loopback
from harness.load.sse import ServerEvent, server_events
from harness.pricing import PriceBook
from harness.providers.capabilities import capabilities_of
from harness.providers.reading.bill import price_context_of
from harness.records import ErrorKind, ProviderMode, RequestStatus, Usage

MAX_OUTPUT_TOKENS = 1024


@dataclass(slots=True)
class _Stream:
    """What has been heard of one answer so far."""

    model: str | None = None
    stop: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    price_context: str = "standard"


class ModelStream(Exchange):
    """What both wires have in common.

    Attributes:
        provider: whose prices and key belong to it.
        official_host: where the key from the environment may go, besides loopback.
        key_env: the variable with that key.
    """

    has_health = False
    telemetry = False
    provider: ClassVar[str]
    official_host: ClassVar[str]
    key_env: ClassVar[str]

    def __init__(self) -> None:
        self._book = PriceBook.configured(os.environ)
        self._official = False

    def headers(self, *, run_id: str, target: str) -> dict[str, str]:
        """A stream is asked for; the run's id goes to loopback targets only."""
        self._official = urlsplit(target).hostname == self.official_host
        headers = {
            "User-Agent": "harness",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
        }
        return {**headers, "X-Harness-Run-Id": run_id} if is_loopback(target) else headers

    def key(self, target: str) -> str | None:
        """The key, if this target may have it: a key belongs to one provider."""
        if urlsplit(target).hostname == self.official_host:
            return os.environ.get(self.key_env)
        return os.environ.get(self.key_env, "local") if is_loopback(target) else None

    def read(self, response: Response, answer: Answer, request_id: str) -> None:  # noqa: ARG002
        """Every event up to the end; an answer cut before its stop reason is a failure."""
        stream = _Stream()
        emulated = response.get("x-harness-emulated") is not None
        for event in server_events(response):
            answer.size += len(event.data)
            if event.data == b"[DONE]":
                continue
            try:
                fields = orjson.loads(event.data)
            except orjson.JSONDecodeError:
                answer.fail(ErrorKind.BAD_OUTPUT, "an event of the stream is not JSON")
                continue
            if isinstance(fields, dict) and self.hear(stream, fields, event, answer):
                answer.first_token_ns = answer.first_token_ns or event.arrived_ns
                answer.last_token_ns = event.arrived_ns
                answer.tokens += 1
        if stream.stop is None:
            answer.fail(ErrorKind.CONNECTION, "the stream ended before its stop reason")
        self._settle(answer, stream, emulated=emulated)

    def hear(self, stream: _Stream, fields: dict[str, Any], event: ServerEvent, answer: Answer) -> bool:
        """Take one event in; True when it carried content."""
        raise NotImplementedError

    def usage_of(self, told: Mapping[str, Any]) -> Usage | None:
        """The billed tokens, normalised; None when the target did not say, or contradicts itself."""
        raise NotImplementedError

    def _settle(self, answer: Answer, stream: _Stream, *, emulated: bool) -> None:
        # before the stop the counts are a running total, not the bill
        usage = self.usage_of(stream.usage) if stream.usage and stream.stop is not None else None
        known_provider = emulated or self._official
        answer.columns |= {
            "draft_source": self.provider if known_provider else "openai-compatible",
            "draft_model": stream.model,
            "provider_mode": ProviderMode.EMULATED if emulated else ProviderMode.LIVE,
            "unpriced": True,
        }
        if usage is None:
            return
        if usage.output_tokens:
            answer.tokens = usage.output_tokens
        answer.columns |= {
            "draft_input_tokens": usage.input_tokens,
            "draft_cache_read_tokens": usage.cache_read_tokens,
            "draft_cache_write_tokens": usage.cache_write_tokens,
            "draft_output_tokens": usage.output_tokens,
        }
        if known_provider and stream.model:
            priced = self._book.price(
                self.provider, stream.model, usage, at=SYSTEM_CLOCK.now(), context=stream.price_context
            )
            cost = priced.cost_usd
            answer.columns |= {"draft_cost_usd": cost, "cost_usd": cost, "unpriced": cost is None}


class OpenAIChat(ModelStream):
    """`POST /v1/chat/completions` of OpenAI or anything compatible."""

    scenario = "openai-chat"
    path = "/v1/chat/completions"
    provider = "openai"
    official_host = "api.openai.com"
    key_env = "OPENAI_API_KEY"

    def path_for(self, target: str) -> str:
        """SDK-style base URLs end in /v1 already."""
        return (
            self.path.removeprefix("/v1") if urlsplit(target).path.rstrip("/").endswith("/v1") else self.path
        )

    def protected_headers(self, target: str) -> dict[str, str]:
        """The key."""
        key = self.key(target)
        return {"Authorization": f"Bearer {key}"} if key else {}

    def body(self, case: Mapping[str, Any], *, model: str | None) -> bytes:
        """The brief as the only message."""
        name = _required(model)
        return orjson.dumps(
            {
                "model": name,
                "messages": [{"role": "user", "content": _question(case)}],
                capabilities_of("openai", name).limit_field: MAX_OUTPUT_TOKENS,
                "stream": True,
                "stream_options": {"include_usage": True},
            }
        )

    def hear(self, stream: _Stream, fields: dict[str, Any], event: ServerEvent, answer: Answer) -> bool:  # noqa: ARG002
        """One chunk."""
        if fields.get("error"):
            _refused(answer, fields["error"])
        stream.model = fields.get("model") or stream.model
        stream.price_context = price_context_of(fields.get("service_tier")) or stream.price_context
        if isinstance(fields.get("usage"), dict):
            stream.usage = fields["usage"]
        choices = fields.get("choices") or []
        if not choices or not isinstance(choices[0], dict):
            return False
        stream.stop = choices[0].get("finish_reason") or stream.stop
        delta = choices[0].get("delta") or {}
        return any(delta.get(part) for part in ("content", "reasoning_content", "tool_calls", "refusal"))

    def usage_of(self, told: Mapping[str, Any]) -> Usage | None:
        """OpenAI's prompt count is the total, cached tokens included."""
        details = told.get("prompt_tokens_details") or {}
        spent = told.get("completion_tokens_details") or {}
        try:
            return Usage(
                input_tokens=told["prompt_tokens"],
                output_tokens=told["completion_tokens"],
                cache_read_tokens=details.get("cached_tokens") or 0,
                cache_write_5m_tokens=details.get("cache_write_tokens") or 0,
                reasoning_tokens=spent.get("reasoning_tokens") or 0,
            )
        except (KeyError, TypeError, ValueError):
            return None


class AnthropicMessages(ModelStream):
    """`POST /v1/messages` of Anthropic."""

    scenario = "anthropic-messages"
    path = "/v1/messages"
    provider = "anthropic"
    official_host = "api.anthropic.com"
    key_env = "ANTHROPIC_API_KEY"

    def headers(self, *, run_id: str, target: str) -> dict[str, str]:
        """With the API's version."""
        return {**super().headers(run_id=run_id, target=target), "anthropic-version": "2023-06-01"}

    def protected_headers(self, target: str) -> dict[str, str]:
        """The key."""
        key = self.key(target)
        return {"x-api-key": key} if key else {}

    def body(self, case: Mapping[str, Any], *, model: str | None) -> bytes:
        """The brief as the only message."""
        return orjson.dumps(
            {
                "model": _required(model),
                "max_tokens": MAX_OUTPUT_TOKENS,
                "messages": [{"role": "user", "content": _question(case)}],
                "stream": True,
            }
        )

    def hear(self, stream: _Stream, fields: dict[str, Any], event: ServerEvent, answer: Answer) -> bool:  # noqa: ARG002
        """One event."""
        match fields.get("type"):
            case "message_start":
                message = fields.get("message") or {}
                stream.model = message.get("model")
                stream.usage |= message.get("usage") or {}
                stream.price_context = (
                    price_context_of(stream.usage.get("service_tier")) or stream.price_context
                )
            case "message_delta":
                stream.stop = (fields.get("delta") or {}).get("stop_reason") or stream.stop
                stream.usage |= fields.get("usage") or {}
            case "content_block_delta":
                return True
            case "error":
                _refused(answer, fields.get("error"))
        return False

    def usage_of(self, told: Mapping[str, Any]) -> Usage | None:
        """Anthropic's input count leaves cached tokens out: they are added back."""
        read = told.get("cache_read_input_tokens") or 0
        written = told.get("cache_creation_input_tokens") or 0
        hour = (told.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0
        try:
            return Usage(
                input_tokens=told["input_tokens"] + read + written,
                output_tokens=told["output_tokens"],
                cache_read_tokens=read,
                cache_write_5m_tokens=written - hour,
                cache_write_1h_tokens=hour,
            )
        except (KeyError, TypeError, ValueError):
            return None


def _required(model: str | None) -> str:
    if not model:
        raise UsageError("this scenario asks a bare model: name it with --model")
    return model


def _question(case: Mapping[str, Any]) -> str:
    return f"Weigh this decision in a few sentences, then recommend one option.\n\n{case.get('brief', '')}"


def _refused(answer: Answer, error: object) -> None:
    """An error inside a stream: its headers had promised success."""
    word = str(error.get("type") or error.get("code")) if isinstance(error, dict) else ""
    text = orjson.dumps(error, default=str).decode()
    if "overloaded" in word:
        answer.fail(ErrorKind.OVERLOADED, text)
    elif "rate_limit" in word:
        answer.fail(ErrorKind.RATE_LIMITED, text, status=RequestStatus.REJECTED)
    else:
        answer.fail(ErrorKind.UPSTREAM_5XX, text)
