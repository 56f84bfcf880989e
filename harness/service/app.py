"""The application: routes, errors as `error.v1`, and a life that begins and ends with its engine."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.service import routes
from harness.service.engine import Engine
from harness.service.intake import usable_request_id
from harness.service.problems import ProblemError
from harness.service.settings import ServiceSettings

LOG = logging.getLogger("harness.service")


def create_app(settings: ServiceSettings) -> Starlette:
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

    app = Starlette(
        routes=[
            Route("/healthz", routes.healthz),
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
    app.state.engine = engine
    return app


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    response = error.response()
    response.headers["x-request-id"] = usable_request_id(request)
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
