"""The answer as server-sent events: stages as they come, the whole payload last, then its telemetry.

Headers leave before anything is known, so figures travel in a last event, and a failure after the first
stage is an event too.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from harness.records import dump_json
from harness.service.answers import public_payload
from harness.service.engine import Engine
from harness.service.intake import Envelope
from harness.service.leaving import client_left
from harness.service.problems import ProblemError, stopping
from harness.service.work import ResultTask

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def stream_response(
    request: Request, engine: Engine, task_name: str, task_input: Any, envelope: Envelope, *, debug: bool
) -> Response:
    """A response that runs the pipeline while it streams; a client that leaves cancels the calls."""
    return StreamingResponse(
        _events(request, engine, task_name, task_input, envelope, debug=debug),
        media_type="text/event-stream",
        headers={**HEADERS, "x-request-id": envelope.request_id},
    )


async def _events(
    request: Request, engine: Engine, task_name: str, task_input: Any, envelope: Envelope, *, debug: bool
) -> AsyncIterator[bytes]:
    stages: asyncio.Queue[bytes | None] = asyncio.Queue()

    def on_stage(stage: str, detail: Mapping[str, Any]) -> None:
        stages.put_nowait(sse_event("stage", {"stage": stage, **detail}))

    work = engine.begin(task_name, task_input, envelope, on_stage)
    work.add_done_callback(lambda _done: stages.put_nowait(None))
    watch = asyncio.create_task(client_left(request, engine, work))
    try:
        while (event := await stages.get()) is not None:
            yield event
        if not work.cancelled():
            for event in _last_events(work, envelope, debug=debug):
                yield event
        elif engine.work.stopped:
            yield sse_event("error", stopping("stopped").body())
    finally:
        watch.cancel()
        if not engine.settings.finish_abandoned:
            work.cancel()
        await asyncio.wait([work, watch])


def _last_events(work: ResultTask, envelope: Envelope, *, debug: bool) -> list[bytes]:
    try:
        result = work.result()
    except ProblemError as problem:
        return [sse_event("error", problem.body())]
    except Exception:  # noqa: BLE001 - the boundary: headers have left, so a defect must end as an event
        return [sse_event("error", ProblemError(500, "the service failed; its log says more").body())]
    complete = {"stage": "COMPLETE", "payload": public_payload(result, debug=debug)}
    events = [sse_event("stage", complete)]
    if envelope.wants_telemetry:
        events.append(sse_event("telemetry", result.event.payload()))
    return events


def sse_event(name: str, data: Any) -> bytes:
    """One server-sent event; JSON never holds a raw line break, so one data line is enough."""
    return b"event: " + name.encode() + b"\ndata: " + dump_json(data) + b"\n\n"
