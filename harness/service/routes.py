"""The routes: envelope and body in, pipeline, answer out."""

import asyncio
from dataclasses import asdict
from math import nan

from starlette.requests import Request
from starlette.responses import Response

from harness.errors import UsageError
from harness.orchestration.outcome import PipelineResult
from harness.service.answers import answer_headers, public_payload
from harness.service.engine import DRAFT_TASK, LAG_SHOWN_S, SUGGEST_TASK, Engine
from harness.service.intake import read_envelope, read_json_object
from harness.service.leaving import client_left
from harness.service.problems import bad_input, json_response, stopping
from harness.service.streaming import stream_response
from harness.service.work import ResultTask

MOST_LAG_S = 1e6
CLIENT_LEFT = 499
"""Nobody reads it; the access line shows it, as other servers' do."""


def engine_of(request: Request) -> Engine:
    """The engine of the app that serves the request."""
    engine = request.app.state.engine
    if not isinstance(engine, Engine):
        raise TypeError("the app has no engine")
    return engine


async def healthz(request: Request) -> Response:
    """Whether the service lives, and what it is set to; never a secret. 503 once it is about to end."""
    engine = engine_of(request)
    return json_response(engine.health(), 503 if engine.work.draining else 200)


async def lateness(request: Request) -> Response:
    """How late the event loop was in the last `within_s` seconds (default: a minute)."""
    text = request.query_params.get("within_s", f"{LAG_SHOWN_S:g}")
    try:
        within_s = float(text)
    except ValueError:
        within_s = nan
    if not 0 < within_s < MOST_LAG_S:
        raise bad_input(f"within_s: '{text[:40]}' is not a number of seconds up to {MOST_LAG_S:g}")
    return json_response(asdict(engine_of(request).lag.within(within_s)), 200)


async def metrics(request: Request) -> Response:
    """Prometheus text."""
    return Response(engine_of(request).metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def draft_graph(request: Request) -> Response:
    """A brief becomes a graph, as JSON or as a stream of stages."""
    return await _serve(request, DRAFT_TASK, stream=False)


async def draft_graph_stream(request: Request) -> Response:
    """The same, always as a stream of stages."""
    return await _serve(request, DRAFT_TASK, stream=True)


async def suggest_options(request: Request) -> Response:
    """A goal and constraints become options."""
    return await _serve(request, SUGGEST_TASK, stream=False)


async def _serve(request: Request, task_name: str, *, stream: bool) -> Response:
    engine = engine_of(request)
    engine.work.check_open()
    envelope = read_envelope(request, telemetry=engine.settings.telemetry)
    body = await read_json_object(
        request, max_bytes=engine.settings.max_body_bytes, timeout_s=engine.settings.body_timeout_s
    )
    task = engine.pipeline(task_name).task
    try:
        task_input = task.parse_input(body)
    except UsageError as error:
        raise bad_input(str(error)) from error
    debug = body.get("include_debug") is True
    if stream or (envelope.wants_stream and task_name == DRAFT_TASK):
        return stream_response(request, engine, task_name, task_input, envelope, debug=debug)
    result = await _finished(request, engine, engine.begin(task_name, task_input, envelope))
    if result is None:
        return Response(status_code=CLIENT_LEFT)
    return json_response(public_payload(result, debug=debug), 200, answer_headers(result.event, envelope))


async def _finished(request: Request, engine: Engine, work: ResultTask) -> PipelineResult | None:
    """The answer; None when its client left, which cancels the work unless the settings let it go on."""
    watch = asyncio.create_task(client_left(request, engine, work))
    try:
        return await work
    except asyncio.CancelledError:
        if not work.cancelled():  # it is this request that is cancelled, not its answer
            work.cancel()
            raise
        if engine.work.stopped:
            raise stopping("stopped") from None
        return None
    finally:
        watch.cancel()
