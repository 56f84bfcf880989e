"""What a client sent, read with suspicion: bounded, decoded, parsed, and never a reason for a 500."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from harness.records import is_valid_request_id, new_id
from harness.service.problems import ProblemError, bad_input

MOST_TAGS = 20
_TAG = re.compile(r"[A-Za-z0-9_.-]{1,64}=[A-Za-z0-9 _.:/@-]{1,200}")
DRAIN_LIMIT_BYTES = 32 * 1024 * 1024
"""How much of a refused body is read and thrown away, so that its sender gets to read the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A request's headers, as far as we care.

    Attributes:
        request_id: the client's own when it is valid, else ours.
        run_id: the harness run it says it belongs to; None unless telemetry is enabled and the id is valid.
        wants_telemetry: it asked for the telemetry header, and may have it.
        wants_stream: it accepts server-sent events.
        tags: of `X-Request-Tags`, what a routed strategy's rules look at.
    """

    request_id: str
    run_id: str | None
    wants_telemetry: bool
    wants_stream: bool
    tags: Mapping[str, str] = field(default_factory=dict)


def read_envelope(request: Request, *, telemetry: bool) -> Envelope:
    """The envelope of a request.

    Raises:
        ProblemError: an `X-Request-Id` that is not one (replacing it silently would break the client's
            joins), or tags that are none.
    """
    given = request.headers.getlist("x-request-id")
    if len(given) > 1:
        raise bad_input("X-Request-Id: given more than once")
    if given and not is_valid_request_id(given[0]):
        raise bad_input("X-Request-Id: must be 1 to 128 of the characters A-Z a-z 0-9 . _ : -")
    run_ids = request.headers.getlist("x-harness-run-id") if telemetry else []
    run_id = run_ids[0] if len(run_ids) == 1 and is_valid_request_id(run_ids[0]) else None
    return Envelope(
        request_id=given[0] if given else new_id("req"),
        run_id=run_id,
        wants_telemetry=telemetry and request.headers.get("x-assist-telemetry") == "1",
        wants_stream="text/event-stream" in request.headers.get("accept", ""),
        tags=_tags(request.headers.getlist("x-request-tags")),
    )


def _tags(given: Sequence[str]) -> dict[str, str]:
    """`plan=free, region=eu` as names and values."""
    pairs = [pair.strip() for line in given for pair in line.split(",") if pair.strip()]
    found = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    if len(found) != len(pairs) or len(pairs) > MOST_TAGS or not all(map(_TAG.fullmatch, pairs)):
        raise bad_input(
            f"X-Request-Tags: must be at most {MOST_TAGS} of name=value, each name once, separated by commas"
        )
    return found


def usable_request_id(request: Request) -> str:
    """The id to answer with even when the request is refused: the client's if it is valid, else ours."""
    given = request.headers.getlist("x-request-id")
    return given[0] if len(given) == 1 and is_valid_request_id(given[0]) else new_id("req")


async def read_json_object(request: Request, *, max_bytes: int, timeout_s: float) -> Mapping[str, Any]:
    """The body as a JSON object, whatever its content type says.

    Raises:
        ProblemError: too large, too slow, unreadable, not JSON, or not an object.
    """
    try:
        async with asyncio.timeout(timeout_s):
            body = await _read_body(request, max_bytes)
    except TimeoutError:
        raise ProblemError(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body did not come within {timeout_s:g} s",
            details={"reason": "body_timeout"},
            headers={"connection": "close"},
        ) from None
    if not body.strip():
        raise bad_input("the body is empty; send a JSON object")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad_input(f"the body is not valid JSON ({_reason(error)})") from None
    if not isinstance(value, dict):
        raise bad_input("the body must be a JSON object")
    return value


async def _read_body(request: Request, max_bytes: int) -> bytes:
    length = request.headers.get("content-length", "")
    too_large = length.isdigit() and int(length) > max_bytes
    if too_large and "expect" in request.headers:
        raise _too_large(max_bytes)  # the sender waits for leave to send: refuse before it does
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in _chunks(request):
            size += len(chunk)
            if too_large or size > max_bytes:
                too_large = True
                chunks.clear()
                if size > DRAIN_LIMIT_BYTES:
                    break
            else:
                chunks.append(chunk)
    except ClientDisconnect:
        raise bad_input("the connection closed before the body ended") from None
    if too_large:
        raise _too_large(max_bytes)
    return b"".join(chunks)


def _chunks(request: Request) -> AsyncIterator[bytes]:
    return request.stream()


def _too_large(max_bytes: int) -> ProblemError:
    problem = bad_input(
        f"the body is larger than {max_bytes} bytes", reason="body_too_large", max_bytes=max_bytes
    )
    problem.headers["connection"] = "close"
    return problem


def _reason(error: orjson.JSONDecodeError) -> str:
    """What orjson says, without the body itself."""
    return f"{error.msg.split(':')[0]}, at character {error.pos}"
