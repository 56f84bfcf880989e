"""What the plain routes share: reading a JSON object, answering, and errors in the provider's form."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from harness.emulator.wire import Wire, WireError, object_in

Work = Callable[[Request], Awaitable[Response]]
_NUMBERS = count(1)


def handler(wire: Wire, work: Work) -> Work:
    """The work behind the wire's authentication, errors and headers."""

    async def serve(request: Request) -> Response:
        request_id = f"req_plain_{next(_NUMBERS):08d}"
        try:
            wire.authenticate(lambda name: request.headers.get(name.decode()))
            response = await work(request)
        except WireError as error:
            body = wire.error(error, request_id)
            response = Response(body, error.status, media_type="application/json")
        response.headers["x-harness-emulated"] = "1"
        if wire.request_id_header is not None:
            response.headers[wire.request_id_header.decode()] = request_id
        return response

    serve.__name__ = work.__name__  # Starlette names the route after it
    return serve


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body; a 400 otherwise."""
    return object_in(await request.body())


def json_response(value: Any) -> Response:
    """A 200 with a JSON body."""
    return Response(orjson.dumps(value), media_type="application/json")
