"""The service's own stream: stages as they come, the payload last, then its telemetry."""

from typing import Any

import orjson

from harness.load.answer import Answer, told_kind
from harness.load.exchange import Exchange, Response, fill_telemetry
from harness.load.sse import server_events
from harness.records import ErrorKind, RequestStatus

_KINDS = {"BAD_INPUT": ErrorKind.BAD_REQUEST, "INTERNAL": ErrorKind.UPSTREAM_5XX}


class DraftGraphStream(Exchange):
    """`POST /assist/draft-graph` with `Accept: text/event-stream`.

    The time to first token is the first event's: the moment a user sees that something happens.
    """

    scenario = "stream"
    task = "draft_graph"
    path = "/assist/draft-graph"

    def headers(self, *, run_id: str, target: str) -> dict[str, str]:
        """As for JSON, but a stream is asked for."""
        return {**super().headers(run_id=run_id, target=target), "Accept": "text/event-stream"}

    def read(self, response: Response, answer: Answer, request_id: str) -> None:
        """Every event up to the end; without COMPLETE there is no answer."""
        complete = False
        answer.telemetry_missing = True
        for event in server_events(response):
            answer.size += len(event.data)
            if answer.first_token_ns is None:
                answer.first_token_ns = event.arrived_ns
            if event.name == b"stage":
                complete = complete or _stage(event.data) == "COMPLETE"
            elif event.name == b"telemetry":
                answer.telemetry_missing = False
                fill_telemetry(answer, event.data, request_id)
            elif event.name == b"error":
                _fail(answer, event.data)
        if not complete:
            answer.fail(ErrorKind.CONNECTION, "the stream ended before COMPLETE")


def _stage(data: bytes) -> str | None:
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    stage = fields.get("stage") if isinstance(fields, dict) else None
    return stage if isinstance(stage, str) else None


def _fail(answer: Answer, data: bytes) -> None:
    """Turn an `error.v1` event into an outcome."""
    text = data[:4096].decode(errors="replace")
    try:
        fields: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        fields = {}
    code = fields.get("code") if isinstance(fields, dict) else None
    if code == "RATE_LIMITED":
        kind = ErrorKind.COST_GUARD if '"cost_guard"' in text else ErrorKind.RATE_LIMITED
        answer.fail(kind, text, status=RequestStatus.REJECTED)
        return
    answer.fail(told_kind(data) or _KINDS.get(str(code), ErrorKind.UPSTREAM_5XX), text)
