"""Access lines beside the events of a log: what a web framework or a boundary hook says about each request.

They have what events often lack (request id, latency, status), and failures stand nowhere else:

    boundary.response    request_id, endpoint, status, elapsed_ms
    request completed    Fastify's own: reqId, res.statusCode, responseTime; the url is in `incoming request`
    *.sse_error          an error inside an answer of status 200: error, stream_duration_ms

A log that has boundary lines is read by them alone: Fastify's name the same requests otherwise.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from harness.analysis.matching import matched_by_time
from harness.records import FAILED_EVENT, Event, environment_name

_ROUTE = re.compile(r"assist|draft|suggest|chat|completion|messages|generat", re.IGNORECASE)
"""Requests that ask a model; a failed health check is no failed draft."""
_SSE_ERROR = re.compile(r"(^|[._])sse_error$")
_MOST_CHARS = 500
_UNKNOWN_ROUTES = (404, 405)
"""Statuses that tell of a wrong address rather than of a failure, where the route is not known."""
_WINDOW_MS = (-60.0, 20.0)
"""An event is written at most so long before the access line of its request, or after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One access line. None is untold.

    Attributes:
        kind: `boundary`, `fastify`, `start` (Fastify's first line) or `stream` (an error in mid-stream).
        key: what the log calls the request.
        request_id: the id that its sender may know: X-Request-Id.
        moment: when the line was written.
        elapsed_ms: how long the request took.
        url: of the request.
        message: of the error.
    """

    kind: str
    key: str | None
    request_id: str | None
    moment: datetime
    http_status: int | None
    elapsed_ms: float | None
    url: str | None
    message: str | None = None


def access_of(line: Mapping[str, Any], moment: datetime | None) -> Access | None:
    """The access line in a line of a log; None when it is none, or tells no time."""
    if moment is None:
        return None
    name = next((line[key] for key in ("event", "msg", "message") if isinstance(line.get(key), str)), "")
    key = _word(line.get("reqId")) or _word(line.get("req_id"))
    response, request = line.get("res"), line.get("req")
    if name == "boundary.response":
        own = (
            _word(line.get("request_id"))
            or _word(line.get("x-request-id"))
            or _word(line.get("X-Request-Id"))
        )
        url = _word(line.get("endpoint")) or _word(line.get("url")) or _word(line.get("path"))
        return _access(
            "boundary",
            own or key,
            own,
            moment,
            status=line.get("status"),
            elapsed=line.get("elapsed_ms"),
            url=url,
        )
    if name in ("request completed", "request errored") and isinstance(response, Mapping):
        status = response.get("statusCode")
        return _access(
            "fastify", key, None, moment, status=status, elapsed=line.get("responseTime"), url=None
        )
    if name == "incoming request" and isinstance(request, Mapping):
        return _access("start", key, None, moment, status=None, elapsed=None, url=_word(request.get("url")))
    if _SSE_ERROR.search(name):
        own = _word(line.get("request_id"))
        took = line.get("stream_duration_ms", line.get("elapsed_ms"))
        found = _access("stream", own or key, own, moment, status=200, elapsed=took, url=None)
        message = _word(line.get("error")) or _word(line.get("error_code"))
        return replace(found, message=message)
    return None


def _access(
    kind: str,
    key: str | None,
    own: str | None,
    moment: datetime,
    *,
    status: Any,
    elapsed: Any,
    url: str | None,
) -> Access:
    return Access(
        kind=kind,
        key=key,
        request_id=own,
        moment=moment,
        http_status=status if type(status) is int and 100 <= status <= 599 else None,
        elapsed_ms=float(elapsed) if _is_number(elapsed) else None,
        url=url,
    )


def _is_number(value: Any) -> bool:
    return (
        not isinstance(value, bool | str | None) and hasattr(value, "__float__") and 0 <= float(value) < 1e12
    )


def _word(value: object) -> str | None:
    return value[:_MOST_CHARS] if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What access lines add to a log.

    Attributes:
        filled: place of an event among those given -> the event with what its access line tells.
        failures: place of an access line among those given -> the failure that it alone tells.
        paired: events whose access line was found by time.
        ambiguous: events that more than one access line could be about; they stay as they are.
    """

    filled: dict[int, Event]
    failures: dict[int, Event]
    paired: int = 0
    ambiguous: int = 0


def told_by_access(
    events: Sequence[Event], unnamed: Sequence[bool], lines: Sequence[Access], environment: str | None
) -> Told:
    """Events completed by their access lines, and the failures that only those tell.

    Args:
        events: of the log.
        unnamed: which of them have no id of their own.
        lines: its access lines, in order.
        environment: of failures.
    """
    accesses = _relevant(lines)
    streams = {place: line for place, line in enumerate(lines) if line.kind == "stream"}
    by_key: dict[str | None, int] = {line.key: place for place, line in accesses.items() if line.key}
    filled: dict[int, Event] = {}
    taken: set[int] = set()
    for place, event in enumerate(events):
        found = None if unnamed[place] else by_key.get(event.request_id)
        if found is not None:
            taken.add(found)
            filled[place] = _filled(event, accesses[found], named=True)
    for place in list(streams):
        found = by_key.get(streams[place].key)
        if found is not None and found not in taken:
            taken.add(found)
            streams[place] = _joined(streams[place], accesses[found])
    loose = [place for place, is_loose in enumerate(unnamed) if is_loose]
    failed = [place for place, line in streams.items() if line.elapsed_ms is None or line.request_id is None]
    free = [place for place, line in accesses.items() if place not in taken and _is_fine(line)]
    moments = [events[place].ts for place in loose] + [streams[place].moment for place in failed]
    matches = matched_by_time(
        [_ns(moment) for moment in moments], [_ns(accesses[place].moment) for place in free], _WINDOW_MS
    )
    for moment, end in matches.pairs.tolist():
        taken.add(free[end])
        access = accesses[free[end]]
        if moment < len(loose):
            filled[loose[moment]] = _filled(events[loose[moment]], access, named=False)
        else:
            own = failed[moment - len(loose)]
            streams[own] = _joined(streams[own], access)
    failures = {place: _failure(line, environment) for place, line in streams.items()}
    for place, line in accesses.items():
        if place not in taken and _has_failed(line):
            failures[place] = _failure(line, environment)
    return Told(filled=filled, failures=failures, paired=len(matches.pairs), ambiguous=matches.ambiguous)


def _relevant(lines: Sequence[Access]) -> dict[int, Access]:
    """The access lines that end a request for a model, each request once."""
    urls: dict[str | None, str | None] = {
        line.key: line.url for line in lines if line.kind == "start" and line.key
    }
    boundary = any(line.kind == "boundary" for line in lines)
    kind = "boundary" if boundary else "fastify"
    found = {}
    for place, line in enumerate(lines):
        if line.kind == kind:
            known = line if line.url is not None else replace(line, url=urls.get(line.key))
            if known.url is None or _ROUTE.search(known.url):
                found[place] = known
    return found


def _is_fine(line: Access) -> bool:
    return line.http_status is not None and line.http_status < 400


def _has_failed(line: Access) -> bool:
    if line.http_status is None or line.http_status < 400:
        return False
    return line.url is not None or line.http_status not in _UNKNOWN_ROUTES


def _joined(stream: Access, access: Access) -> Access:
    return replace(
        stream,
        request_id=stream.request_id or access.request_id,
        key=stream.key or access.key,
        elapsed_ms=access.elapsed_ms if access.elapsed_ms is not None else stream.elapsed_ms,
        http_status=access.http_status or stream.http_status,
    )


def _filled(event: Event, access: Access, *, named: bool) -> Event:
    payload = dict(event.payload)
    if access.elapsed_ms is not None:
        payload.setdefault("latency_ms", access.elapsed_ms)
    if access.http_status is not None:
        payload.setdefault("http_status", access.http_status)
    request_id = event.request_id if named or access.request_id is None else access.request_id
    if not named and access.request_id is not None:
        payload["request_id"] = access.request_id
        payload["request_id_by"] = "time of its access line"
    return replace(event, request_id=request_id, payload=payload)


def _failure(line: Access, environment: str | None) -> Event:
    """A failed request, in the words of the failed event."""
    status = (
        "rejected" if line.http_status == 429 else "timeout" if line.http_status in (408, 504) else "error"
    )
    payload: dict[str, Any] = {
        "event": FAILED_EVENT,
        "ts": line.moment.isoformat(),
        "request_id": line.request_id,
        "status": status,
        "http_status": line.http_status,
        "error_kind": _kind(line),
        "error_message": line.message or f"status {line.http_status} in the access log",
        "latency_ms": line.elapsed_ms,
        "seen_in": line.kind,
    }
    return Event(
        ts=line.moment,
        name=FAILED_EVENT,
        request_id=line.request_id,
        run_id=None,
        environment=environment_name(environment),
        payload={name: value for name, value in payload.items() if value is not None},
    )


def _kind(line: Access) -> str:
    status = line.http_status or 500
    if line.kind == "stream" or status >= 500:
        return "timeout" if status == 504 else "upstream_5xx"
    return {401: "auth", 403: "auth", 408: "timeout", 429: "rate_limited"}.get(status, "bad_request")


def _ns(moment: datetime | None) -> int:
    return 0 if moment is None else round(moment.timestamp() * 1e6) * 1000
