"""The emulator as one ASGI application."""

import logging
import re
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from harness.emulator.anthropic_routes import anthropic_routes
from harness.emulator.connection import Receive, Scope, Send
from harness.emulator.control import control_routes
from harness.emulator.engine import Endpoint, Engine
from harness.emulator.gemini_routes import gemini_routes
from harness.emulator.openai_routes import openai_routes
from harness.emulator.settings import EmulatorSettings
from harness.emulator.wire import (
    AnthropicMessages,
    BedrockConverse,
    GeminiContent,
    OpenAIChat,
    OpenAIResponses,
    Wire,
)

_LOG = logging.getLogger(__name__)
_GEMINI = re.compile(r"/v1(?:beta)?/models/([^/:]+):(generateContent|streamGenerateContent)")
_BEDROCK = re.compile(r"/model/(.+)/(converse|converse-stream)")


class EmulatorApp:
    """Generating routes are served straight from the socket; everything else goes through Starlette.

    Attributes:
        engine: the emulator's state, for tests in the same process.
    """

    def __init__(self, settings: EmulatorSettings) -> None:
        self.engine = Engine(settings)
        self._generating = {
            "/v1/messages": Endpoint(self.engine, AnthropicMessages()),
            "/v1/chat/completions": Endpoint(self.engine, OpenAIChat()),
            "/v1/responses": Endpoint(self.engine, OpenAIResponses()),
        }
        routes = [
            *control_routes(self.engine),
            *anthropic_routes(self.engine),
            *gemini_routes(),
            *openai_routes(self.engine),
        ]
        self._rest = Starlette(routes=routes, exception_handlers={HTTPException: _no_such_route})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope; a failure of the emulator itself is told on standard error."""
        try:
            await self._dispatch(scope, receive, send)
        except Exception:
            _LOG.exception("the emulator failed on %s", scope.get("path"))
            raise

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._generating.get(scope["path"]) or self._addressed(scope)
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self._rest(scope, receive, send)

    def _addressed(self, scope: Scope) -> Endpoint | None:
        """The endpoint of a wire that names the model in the path; None for any other path."""
        wire: Wire | None = None
        if found := _GEMINI.fullmatch(scope["path"]):
            streams = found[2] == "streamGenerateContent"
            if streams and parse_qs(scope["query_string"]).get(b"alt") != [b"sse"]:
                return None  # a stream as one JSON array, which no SDK asks for
            wire = GeminiContent(found[1], stream=streams)
        elif found := _BEDROCK.fullmatch(scope["path"]):
            wire = BedrockConverse(found[1], stream=found[2] == "converse-stream")
        return None if wire is None else Endpoint(self.engine, wire)


def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"{request.method} {request.url.path} is not emulated"
    body = orjson.dumps({"type": "error", "error": {"type": "not_found_error", "message": message}})
    return Response(body, status, {"x-harness-emulated": "1"}, "application/json")


def create_app(settings: EmulatorSettings | None = None) -> EmulatorApp:
    """The emulator, ready for any ASGI server (faults that break connections need uvicorn)."""
    return EmulatorApp(settings or EmulatorSettings())
