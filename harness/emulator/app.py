"""The emulator as one ASGI application."""

from starlette.applications import Starlette

from harness.emulator.anthropic_routes import anthropic_routes
from harness.emulator.connection import Receive, Scope, Send
from harness.emulator.control import control_routes
from harness.emulator.engine import Endpoint, Engine
from harness.emulator.openai_routes import openai_routes
from harness.emulator.settings import EmulatorSettings
from harness.emulator.wire import AnthropicMessages, OpenAIChat, OpenAIResponses


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
        routes = [*control_routes(self.engine), *anthropic_routes(self.engine), *openai_routes(self.engine)]
        self._rest = Starlette(routes=routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http" and scope["method"] == "POST":
            endpoint = self._generating.get(scope["path"])
            if endpoint is not None:
                await endpoint(scope, receive, send)
                return
        await self._rest(scope, receive, send)


def create_app(settings: EmulatorSettings | None = None) -> EmulatorApp:
    """The emulator, ready for any ASGI server (faults that break connections need uvicorn)."""
    return EmulatorApp(settings or EmulatorSettings())
