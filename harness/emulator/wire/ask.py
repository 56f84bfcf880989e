"""What the wire formats have in common once read: one ask, one reply, one kind of refusal to answer."""

from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from pydantic import ValidationError

from harness.emulator.answers import Question
from harness.emulator.bill import TokenBill
from harness.emulator.connection import Headers
from harness.emulator.faults import FaultKind
from harness.emulator.models import ModelProfile
from harness.emulator.prompt_cache import Block, CacheShare, PromptCache
from harness.emulator.ratelimit import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One validated request.

    Attributes:
        model: as requested.
        profile: how that model behaves.
        question: what was asked.
        blocks: the prompt in the provider's order, for counting and caching.
        messages: how many messages the prompt has.
        stream: whether a stream was asked for.
        max_tokens: most output tokens; None for the model's own limit.
        tool: name of the tool the model is made to call, or None.
        stop: sequences that end the answer.
        include_usage: OpenAI's `stream_options.include_usage`.
        effort: how much the model is asked to reason, or None.
        thoughts: Gemini's `includeThoughts`: a summary of the reasoning is wanted in the answer.
    """

    model: str
    profile: ModelProfile
    question: Question
    blocks: tuple[Block, ...]
    messages: int
    stream: bool
    max_tokens: int | None = None
    tool: str | None = None
    stop: tuple[str, ...] = ()
    include_usage: bool = False
    effort: str | None = None
    thoughts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the model said, before it takes a wire's form.

    Attributes:
        id: a suffix for the wire's ids.
        finish: `stop`, `length`, `stop_sequence`, `tool`, `refusal` or `content_filter`.
        bill: the whole answer's tokens.
        created_s: Unix time, seconds.
        stop_sequence: the sequence that ended it, if one did.
    """

    id: str
    text: str
    finish: str
    bill: TokenBill
    created_s: int
    stop_sequence: str | None = None


class WireError(Exception):
    """The request is refused before any model sees it.

    Args:
        status: HTTP status.
        kind: the provider's error type.
        message: its sentence.
        param: OpenAI's offending parameter.
        code: OpenAI's error code.
        retry_after_ms: the wait that the provider asks for; None when it asks for none.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_ms: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code
        self.retry_after_ms = retry_after_ms


def object_in(raw: bytes) -> dict[str, Any]:
    """The JSON object in a request's body; a 400 otherwise."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        message = f"The request body is not valid JSON: {error}"
        raise WireError(400, "invalid_request_error", message) from error
    if not isinstance(value, dict):
        raise WireError(400, "invalid_request_error", "The request body must be a JSON object")
    return value


def first_problem(error: ValidationError) -> tuple[tuple[int | str, ...], str, str]:
    """Where, what kind and what, of the problem deepest in the body; union branches are left out of where."""
    deepest = max(error.errors(), key=lambda problem: len(problem["loc"]))
    where = tuple(part for part in deepest["loc"] if part != "str" and "[" not in str(part))
    return where, deepest["type"], deepest["msg"]


class Wire(Protocol):
    """One wire format: reading requests, forming answers and errors.

    Attributes:
        name: as the ledger has it.
        request_id_header: None where the provider sends none.
        call_id_headers: where the client's own id of the call may stand, the best place first.
        stream_type: content type of a stream.
    """

    name: str
    request_id_header: bytes | None
    call_id_headers: tuple[bytes, ...]
    stream_type: bytes

    def authenticate(self, header: Any) -> None:
        """Raise a 401 WireError when the key is missing or wrong; `header(name)` gives a request header."""
        ...

    def model_in(self, body: dict[str, Any]) -> str:
        """The model that is asked, empty when none is named."""
        ...

    def read(self, body: dict[str, Any]) -> Ask:
        """The ask in a request body; raises WireError as the real API would."""
        ...

    def cached(self, cache: PromptCache, ask: Ask) -> CacheShare:
        """What the prompt cache serves of the ask."""
        ...

    def whole(self, ask: Ask, reply: Reply) -> bytes:
        """The answer in one piece."""
        ...

    def frames(self, ask: Ask, reply: Reply, pieces: list[str]) -> list[bytes]:
        """The answer as a stream's events, one entry a piece; the first and last carry the envelope."""
        ...

    def garbled(self, frame: bytes) -> bytes:
        """A frame whose JSON is cut short, as a broken proxy would pass it on."""
        ...

    def error(self, error: WireError, request_id: str) -> bytes:
        """An error body."""
        ...

    def error_headers(self, error: WireError) -> Headers:
        """What the headers say of an error: the wait that it asks for."""
        ...

    def error_frame(self, ask: Ask, reply: Reply) -> bytes:
        """An error in the midst of a stream."""
        ...

    def fault_error(self, kind: FaultKind, model: str) -> WireError:
        """The provider's status, error type and sentence for a fault that is a status."""
        ...

    def limit_headers(self, allowance: Allowance) -> Headers:
        """Rate-limit headers."""
        ...

    def finish_word(self, finish: str) -> str:
        """The wire's own word for how an answer ended."""
        ...
