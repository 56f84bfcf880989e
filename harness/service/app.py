"""The application: routes, errors as `error.v1`, and a life that begins and ends with its engine."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from harness.clock import ms_from_ns
from harness.service import routes
from harness.service.engine import Engine
from harness.service.intake import usable_request_id
from harness.service.problems import ProblemError, stopping
from harness.service.settings import ServiceSettings

LOG = logging.getLogger("harness.service")


def create_app(settings: ServiceSettings) -> "ServiceApp":
    """The service as an ASGI application.

    Raises:
        ConfigError: a key is missing, or fixtures would serve in production unallowed.
        UnpricedModelError: a model has no price and unpriced calls are not allowed.
        StoreError: the store's folder cannot be written.
    """
    engine = Engine(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await engine.close()

    app = ServiceApp(
        engine,
        routes=[
            Route("/healthz", routes.healthz),
            Route("/lateness", routes.lateness),
            Route("/metrics", routes.metrics),
            Route("/assist/draft-graph", routes.draft_graph, methods=["POST"]),
            Route("/assist/draft-graph/stream", routes.draft_graph_stream, methods=["POST"]),
            Route("/assist/suggest-options", routes.suggest_options, methods=["POST"]),
        ],
        lifespan=lifespan,
        exception_handlers={
            ProblemError: _problem,
            HTTPException: _http_exception,
            Exception: _internal,
        },
    )
    app.router.redirect_slashes = False
    return app


class ServiceApp(Starlette):
    """The application around an engine; counts and, where asked to, logs every answer."""

    def __init__(self, engine: Engine, **settings: Any) -> None:
        super().__init__(**settings)
        self.state.engine = engine
        self.engine = engine
        self._known_routes = frozenset(route.path for route in self.routes if isinstance(route, Route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's life."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        started_ns = time.perf_counter_ns()
        seen = _Seen()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.note(message)
            await send(message)

        try:
            await super().__call__(scope, receive, watched)
        except asyncio.CancelledError:  # the service ends in the middle of a request's body
            if not self.engine.work.stopped or seen.started:
                raise
            await stopping("stopped").response()(scope, receive, watched)
        finally:
            path = scope["path"]
            self.engine.traffic.answered(
                method=scope["method"],
                route=path if path in self._known_routes else "other",
                path=path,
                status=seen.status,
                duration_ms=ms_from_ns(time.perf_counter_ns() - started_ns),
                request_id=seen.request_id,
            )


@dataclass(slots=True)
class _Seen:
    """What an answer's head said; 499 for a client that left before there was one."""

    started: bool = False
    status: int = 499
    request_id: str | None = None

    def note(self, message: Message) -> None:
        self.started = True
        self.status = message["status"]
        self.request_id = next(
            (value.decode("latin-1") for name, value in message["headers"] if name == b"x-request-id"), None
        )


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    response = error.response()
    request_id = usable_request_id(request)
    response.headers["x-request-id"] = request_id
    if isinstance(request.app, ServiceApp):
        request.app.engine.traffic.refused(error.reason, error.message, request_id=request_id)
    return response


async def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    sentence = {404: "no such route", 405: "this route does not take that method"}
    message = sentence.get(error.status_code, "the request cannot be served")
    problem = ProblemError(error.status_code, message, headers=error.headers)
    return await _problem(request, problem)


async def _internal(request: Request, error: Exception) -> Response:
    """A defect of ours: the trace goes to the log, the client gets a code and the request id."""
    LOG.error("a request failed inside the service: %s", type(error).__name__, exc_info=error)
    return await _problem(request, ProblemError(500, "the service failed; its log says more"))
