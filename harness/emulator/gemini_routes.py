"""Gemini's routes beside the generating ones: models and token counting."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.emulator.http import handler, json_response, read_object
from harness.emulator.model import input_bill
from harness.emulator.models import model_ids
from harness.emulator.prompt_cache import CacheShare
from harness.emulator.wire import GeminiContent
from harness.emulator.wire.gemini_request import known_gemini, read_content

_ACTIONS = ["generateContent", "countTokens"]


def gemini_routes() -> list[Route]:
    """The routes; they keep nothing."""
    wire = GeminiContent("", stream=False)
    count = handler(wire, _count_tokens)
    return [
        Route("/v1beta/models", gemini_models),
        Route("/v1beta/models/{model}", gemini_models),
        *(Route(f"/{v}/models/{{model}}:countTokens", count, methods=["POST"]) for v in ("v1", "v1beta")),
    ]


async def gemini_models(request: Request) -> Response:
    """The models, or the one that the path names."""
    return await handler(GeminiContent("", stream=False), _models)(request)


async def _models(request: Request) -> Response:
    model = request.path_params.get("model") or request.path_params.get("model_id")
    if model is not None:
        return json_response(_row(model))
    return json_response({"models": [_row(name) for name in model_ids("gemini")]})


async def _count_tokens(request: Request) -> Response:
    body = await read_object(request)
    ask = read_content(body.get("generateContentRequest") or body, request.path_params["model"], stream=False)
    return json_response({"totalTokens": input_bill(ask, CacheShare()).total_input})


def _row(model: str) -> dict[str, Any]:
    profile = known_gemini(model)
    return {
        "name": f"models/{model}",
        "displayName": model.replace("-", " ").title(),
        "inputTokenLimit": profile.context_tokens,
        "outputTokenLimit": profile.max_output_tokens,
        "supportedGenerationMethods": _ACTIONS,
        "thinking": bool(profile.reasoning_share),
    }
