"""Scenarios: what is asked of a target, and how its answer is read.

An exchange knows one API; it never raises for what a target does, because a target's failure is data.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, ClassVar, Protocol

import orjson

from harness.addresses import under_version
from harness.load.answer import MAX_EXCERPT_CHARS, Answer, judge_status
from harness.load.told import server_timing, telemetry_fields
from harness.providers.reading.events import TooLargeError
from harness.providers.reading.excerpts import excerpt
from harness.records import ErrorKind, RequestStatus


class Response(Protocol):
    """What an exchange reads: geventhttpclient's response, or preflight's."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    def get(self, key: str, default: str | None = None) -> Any:
        """A header, by any case."""

    def read(self, length: int | None = None) -> bytes:
        """The whole body, or its next `length` bytes."""

    def readline(self, sep: bytes = ...) -> bytes:
        """The next line with its end, as soon as it is there; empty at the end of the body."""


class Sender(Protocol):
    """Whoever posts a body under a request id."""

    def post(self, request_id: str, body: bytes) -> Response:
        """Send, and return when the headers of the answer are in."""


class Exchange(ABC):
    """One kind of request.

    Attributes:
        scenario: as in the records and in Locust's tables.
        task: the task it asks for; None where the target is a bare model.
        path: appended to the target.
        has_health: the target has `/healthz`.
        telemetry: the target may tell cost, provider and tier.
    """

    scenario: ClassVar[str]
    task: ClassVar[str | None] = None
    path: ClassVar[str]
    has_health: ClassVar[bool] = True
    telemetry: ClassVar[bool] = True

    def path_for(self, target: str) -> str:
        """The path under a target; SDK-style base URLs say the version already."""
        return under_version(target, self.path)

    def protected_headers(self, target: str) -> dict[str, str]:  # noqa: ARG002
        """Headers with secrets that this target may have; masked in every excerpt, never stored."""
        return {}

    def headers(self, *, run_id: str, target: str) -> dict[str, str]:  # noqa: ARG002
        """Headers that every request of the run carries."""
        return {
            "User-Agent": "harness",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Assist-Telemetry": "1",
            "X-Harness-Run-Id": run_id,
        }

    def body(self, case: Mapping[str, Any], *, model: str | None) -> bytes:  # noqa: ARG002
        """The request body of a case."""
        return orjson.dumps(dict(case))

    def perform(self, sender: Sender, request_id: str, body: bytes) -> Answer:
        """Ask once and read the answer to its end."""
        answer = Answer()
        try:
            response = sender.post(request_id, body)
            if 200 <= response.status_code < 300:
                answer.http_status = response.status_code
                self.read(response, answer, request_id)
            else:
                self.refuse(answer, response.status_code, response.read())
        except TimeoutError as error:
            answer.fail(ErrorKind.TIMEOUT, str(error) or "timed out", status=RequestStatus.TIMEOUT)
        except TooLargeError as error:
            answer.fail(ErrorKind.BAD_OUTPUT, str(error))
        except (OSError, ValueError, HTTPException) as error:
            answer.fail(ErrorKind.CONNECTION, f"{type(error).__name__}: {error}")
        except RuntimeError as error:  # geventhttpclient's parser errors descend from it
            answer.fail(ErrorKind.CONNECTION, f"{type(error).__name__}: {error}")
        if answer.error_text:
            answer.error_text = excerpt(answer.error_text, asked=_texts(body), limit=4 * MAX_EXCERPT_CHARS)
        return answer

    def refuse(self, answer: Answer, http_status: int, body: bytes) -> None:
        """Judge a status that says no."""
        judge_status(answer, http_status, body)

    @abstractmethod
    def read(self, response: Response, answer: Answer, request_id: str) -> None:
        """Read a 2xx answer."""


class DraftGraph(Exchange):
    """`POST /assist/draft-graph`, answered as JSON."""

    scenario = "baseline"
    task = "draft_graph"
    path = "/assist/draft-graph"

    def read(self, response: Response, answer: Answer, request_id: str) -> None:
        """The whole body; it must be the JSON object that the contract promises."""
        body = response.read()
        answer.size = len(body)
        read_told(answer, response, request_id)
        try:
            payload = orjson.loads(body)
        except orjson.JSONDecodeError:
            answer.fail(ErrorKind.BAD_OUTPUT, "the answer is not JSON")
            return
        if not isinstance(payload, dict) or "graph" not in payload:
            answer.fail(ErrorKind.BAD_OUTPUT, "the answer has no graph")


def read_told(answer: Answer, response: Response, request_id: str) -> None:
    """Fill in what the headers tell."""
    timing = response.get("server-timing")
    if isinstance(timing, str):
        stages = server_timing(timing)
        total = stages.pop("total", None)
        if stages:
            answer.columns["stages_ms"] = stages
        if total is not None:
            answer.columns["server_ms"] = total
    told = response.get("x-assist-telemetry")
    if told is None:
        answer.telemetry_missing = True
    elif isinstance(told, str):
        fill_telemetry(answer, told, request_id)
    else:
        answer.telemetry_broken = True


def fill_telemetry(answer: Answer, text: str | bytes, request_id: str) -> None:
    """Fill in what the completed event tells."""
    fields, broken = telemetry_fields(text, request_id)
    answer.columns.update(fields)
    answer.telemetry_broken = broken


def _texts(body: bytes) -> list[str]:
    """Every text of what was asked: a target's error must not carry it into the records."""
    try:
        pending: list[object] = [orjson.loads(body)]
    except orjson.JSONDecodeError:
        return []
    found: list[str] = []
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return found
