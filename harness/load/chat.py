"""Bare models over their own wire: OpenAI-compatible chat completions and Anthropic messages, streamed.

Records time to first token, inter-token latency, billed tokens and, where the price is known, the cost.
"""

import os
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson

from harness.clock import SYSTEM_CLOCK
from harness.errors import UsageError
from harness.load.answer import Answer
from harness.load.exchange import Exchange, Response
from harness.load.preflight import is_loopback
from harness.load.sse import server_events
from harness.pricing import PriceBook
from harness.providers.capabilities import capabilities_of
from harness.providers.reading import ChatReading, Heard, MessagesReading, ReadAnswer, Reading
from harness.providers.reading.events import DONE
from harness.providers.reading.excerpts import message_of
from harness.providers.reading.failures import kind_of
from harness.providers.reading.room import Room
from harness.providers.reading.values import parse
from harness.records import ErrorKind, ProviderMode, RequestStatus

MAX_OUTPUT_TOKENS = 1024


class ModelStream(Exchange):
    """What both wires have in common.

    Attributes:
        provider: whose prices and key belong to it.
        official_host: where the key from the environment may go, besides loopback.
        key_env: the variable with that key.
        room: reads the wire.
    """

    has_health = False
    telemetry = False
    provider: ClassVar[str]
    official_host: ClassVar[str]
    key_env: ClassVar[str]
    room: ClassVar[type[Room]]

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
        reading = self.room()
        emulated = response.get("x-harness-emulated") is not None
        if "json" in str(response.get("content-type", "")):  # an endpoint that cannot stream
            self._read_whole(response.read(), reading, answer)
        else:
            _read_stream(response, reading, answer)
        read = reading.answer()
        _judge(answer, read)
        self._settle(answer, read, emulated=emulated)

    def _read_whole(self, body: bytes, reading: Reading, answer: Answer) -> None:
        answer.size = len(body)
        try:
            reading.take_whole(parse(body))
        except ValueError:
            answer.fail(ErrorKind.BAD_OUTPUT, "the answer is not JSON")

    def refuse(self, answer: Answer, http_status: int, body: bytes) -> None:
        """A refusal in the provider's words."""
        answer.http_status = http_status
        try:
            told: object = parse(body)
        except ValueError:
            told = body.decode(errors="replace")
        _fail(answer, kind_of(http_status, told), message_of(told))

    def _settle(self, answer: Answer, read: ReadAnswer, *, emulated: bool) -> None:
        usage = read.usage
        known_provider = emulated or self._official
        answer.columns |= {
            "draft_source": self.provider if known_provider else "openai-compatible",
            "draft_model": read.served_model,
            "provider_mode": ProviderMode.EMULATED if emulated else ProviderMode.LIVE,
            "unpriced": True,
        }
        if usage is None:
            return
        answer.columns |= {
            "draft_input_tokens": usage.input_tokens,
            "draft_cache_read_tokens": usage.cache_read_tokens,
            "draft_cache_write_tokens": usage.cache_write_tokens,
            "draft_output_tokens": usage.output_tokens,
        }
        if known_provider and read.served_model:
            priced = self._book.price(
                self.provider,
                read.served_model,
                usage,
                at=SYSTEM_CLOCK.now(),
                context=read.price_context,
                terms=read.terms,
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
    room = ChatReading

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


class AnthropicMessages(ModelStream):
    """`POST /v1/messages` of Anthropic."""

    scenario = "anthropic-messages"
    path = "/v1/messages"
    provider = "anthropic"
    official_host = "api.anthropic.com"
    key_env = "ANTHROPIC_API_KEY"
    room = MessagesReading

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


def _required(model: str | None) -> str:
    if not model:
        raise UsageError("this scenario asks a bare model: name it with --model")
    return model


def _question(case: Mapping[str, Any]) -> str:
    return f"Weigh this decision in a few sentences, then recommend one option.\n\n{case.get('brief', '')}"


def _read_stream(response: Response, reading: Reading, answer: Answer) -> None:
    for event in server_events(response, unclosed=True):
        answer.size += len(event.data)
        if event.data.startswith(DONE):
            reading.take_done()
            continue
        try:
            fields = parse(event.data)
        except ValueError:
            if event.is_closed:
                answer.fail(ErrorKind.BAD_OUTPUT, "an event of the stream is not JSON")
            continue
        heard = reading.take_event(fields, name=event.name.decode(errors="replace") if event.name else "")
        if heard is not Heard.NOTHING:
            answer.hear(event.arrived_ns, is_answer=heard is Heard.ANSWER)


def _judge(answer: Answer, read: ReadAnswer) -> None:
    """What the ending makes of the answer; one that reached the limit we set is as long as it was meant."""
    if read.failure is not None:
        if read.failure is not ErrorKind.TRUNCATED:
            _fail(answer, read.failure, read.problem)
    elif not read.is_complete:
        answer.fail(ErrorKind.CONNECTION, "the stream ended before its stop reason")


def _fail(answer: Answer, kind: ErrorKind, text: str) -> None:
    rejected = kind is ErrorKind.RATE_LIMITED
    answer.fail(kind, text, status=RequestStatus.REJECTED if rejected else RequestStatus.ERROR)
