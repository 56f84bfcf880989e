"""Every refusal and failure as `error.v1`: a code, a sentence, details; no trace, key or upstream body."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from harness.records import ErrorKind, dump_json

MAX_RETRY_AFTER_S = 3600


class ProblemError(Exception):
    """A request that ends in an `error.v1` answer.

    Args:
        status: the HTTP status.
        message: one sentence for the client.
        details: more, for its program.
        headers: to send along.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    @property
    def reason(self) -> str:
        """Why, for counting: the details' own reason or kind, else the code."""
        details = self.details or {}
        return str(details.get("reason") or details.get("error_kind") or self.code).lower()

    @property
    def phrase(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    @property
    def code(self) -> str:
        """The error's code: BAD_INPUT, RATE_LIMITED, UPSTREAM or INTERNAL."""
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return "RATE_LIMITED"
        if self.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return "BAD_INPUT"
        return "INTERNAL" if self.status == HTTPStatus.INTERNAL_SERVER_ERROR else "UPSTREAM"

    def body(self) -> dict[str, Any]:
        """The `error.v1` object."""
        body: dict[str, Any] = {"schema": "error.v1", "code": self.code, "message": self.message}
        if self.details is not None:
            body["details"] = dict(self.details)
        return body

    def response(self) -> Response:
        """The whole answer."""
        return json_response(self.body(), self.status, self.headers)


def bad_input(message: str, **details: Any) -> ProblemError:
    """A 400 with one clear sentence."""
    return ProblemError(HTTPStatus.BAD_REQUEST, message, details=details or None)


def stopping(reason: str) -> ProblemError:
    """A 503 of a service that ends; `reason`: draining (nothing was begun) or stopped (it was cut short)."""
    headers = {"retry-after": "1", "connection": "close"}
    details = {"reason": reason, "error_kind": ErrorKind.CANCELLED}
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, _STOPPING, details=details, headers=headers)


_STOPPING = "the service is stopping"

_UPSTREAM: Mapping[ErrorKind, tuple[HTTPStatus, str]] = {
    ErrorKind.TIMEOUT: (HTTPStatus.GATEWAY_TIMEOUT, "the provider did not answer in time"),
    ErrorKind.RATE_LIMITED: (HTTPStatus.TOO_MANY_REQUESTS, "the provider limits our rate"),
    ErrorKind.OVERLOADED: (HTTPStatus.SERVICE_UNAVAILABLE, "the provider is overloaded"),
    ErrorKind.AUTH: (HTTPStatus.BAD_GATEWAY, "the provider refused our credentials"),
    ErrorKind.BAD_REQUEST: (HTTPStatus.BAD_GATEWAY, "the provider refused our request"),
    ErrorKind.CONTENT_FILTER: (HTTPStatus.BAD_GATEWAY, "the provider declined to answer"),
    ErrorKind.TRUNCATED: (HTTPStatus.BAD_GATEWAY, "the model's answer was cut off"),
    ErrorKind.BAD_OUTPUT: (HTTPStatus.BAD_GATEWAY, "the model's answer could not be used"),
    ErrorKind.UNKNOWN_FINISH: (HTTPStatus.BAD_GATEWAY, "the model ended for a reason that is not known"),
    ErrorKind.CONNECTION: (HTTPStatus.BAD_GATEWAY, "the connection to the provider failed"),
    ErrorKind.UPSTREAM_5XX: (HTTPStatus.BAD_GATEWAY, "the provider failed"),
    ErrorKind.CIRCUIT_OPEN: (HTTPStatus.SERVICE_UNAVAILABLE, "the provider kept failing and is not asked"),
    ErrorKind.CANCELLED: (HTTPStatus.SERVICE_UNAVAILABLE, _STOPPING),
}


def upstream_problem(kind: ErrorKind, message: str, retry_after_ms: float | None) -> ProblemError:
    """How a request without an answer is told to its client.

    A cost guard's refusal is a 429 that names itself and asks for no retry: asking again changes nothing.
    What a provider said stays inside; the client gets our own sentence and the kind.
    """
    if kind is ErrorKind.COST_GUARD:
        details = {"reason": "cost_guard", "error_kind": kind}
        return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, message, details=details)
    status, sentence = _UPSTREAM[kind]
    headers = {}
    if retry_after_ms is not None and status in (429, 503):
        seconds = min(MAX_RETRY_AFTER_S, max(0, -int(-retry_after_ms // 1_000)))
        headers["retry-after"] = str(seconds)
    details = {"error_kind": kind}
    if kind is ErrorKind.RATE_LIMITED:
        details["reason"] = "provider_rate_limit"
    return ProblemError(status, sentence, details=details, headers=headers)


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON with money as its own digits."""
    return Response(dump_json(body), status, headers, media_type="application/json")
