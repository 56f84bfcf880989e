"""Errors by status: where endpoints put the word, the sentence and the wait, and what they echo."""

import json

from tests.providers.shapes.shape import MESSAGES, Right, Shape, refusal

ECHO = "Say hello, canary-77aa."
_VALIDATOR = {
    "detail": [
        {"type": "missing", "loc": ["body", "messages"], "msg": "Field required", "input": {"content": ECHO}}
    ]
}


def _right(kind: str, **more: object) -> Right:
    return Right(kind=kind, input=0, output=0, finish=None, **more)  # type: ignore[arg-type]


_WAIT = [
    {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"},
]

SHAPES: list[Shape] = [
    refusal(
        "a message that is an object",
        "Mistral",
        _right("bad_request", says="Field required"),
        422,
        {"object": "error", "message": _VALIDATOR, "type": "invalid_request_error"},
    ),
    refusal(
        "a message that is a JSON text",
        "Mistral",
        _right("bad_request", says="Field required"),
        422,
        {"object": "error", "message": json.dumps(_VALIDATOR)},
    ),
    refusal(
        "a JSON text after a few words",
        "a gateway",
        _right("bad_request", says="Upstream said: "),
        400,
        {"error": {"message": f"Upstream said: {json.dumps(_VALIDATOR)}"}},
    ),
    refusal(
        "a Python object in the message",
        "vLLM",
        _right("bad_request", says="[{'type': 'missing'"[:0]),
        400,
        {"object": "error", "message": str(_VALIDATOR["detail"])},
    ),
    refusal(
        "a list of errors",
        "Cloudflare",
        _right("bad_request", says="no such model"),
        400,
        {"success": False, "errors": [{"code": 5007, "message": "no such model"}], "result": {}},
    ),
    refusal("a validator's list", "FastAPI", _right("bad_request", says="Field required"), 422, _VALIDATOR),
    refusal(
        "a sentence that quotes the prompt",
        "anyone",
        _right("bad_request", says="cannot be read"),
        400,
        {"error": {"message": f"The content '{ECHO}' cannot be read"}},
    ),
    refusal(
        "a sentence with half of the prompt",
        "anyone",
        _right("bad_request"),
        400,
        {"error": {"message": "in position 3: canary-77aa. Please shorten it"}},
    ),
    refusal("a page that echoes", "a proxy", _right("upstream_5xx"), 502, f"<html>POST {ECHO}</html>"),
    refusal("an empty body", "a proxy", _right("upstream_5xx"), 502, ""),
    refusal(
        "a list with the wait inside",
        "Gemini",
        _right("rate_limited", wait_ms=34_000.0, says="quota"),
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your quota",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": _WAIT,
                }
            }
        ],
    ),
    refusal(
        "an object with the wait inside",
        "Gemini",
        _right("rate_limited", wait_ms=34_000.0),
        429,
        {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": _WAIT}},
    ),
    refusal(
        "a wrong key as a 400",
        "Gemini",
        _right("auth", says="API key not valid"),
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid. Please pass a valid API key.",
                    "status": "INVALID_ARGUMENT",
                    "details": [{"reason": "API_KEY_INVALID", "domain": "googleapis.com"}],
                }
            }
        ],
    ),
    refusal(
        "a wrong key as a 400",
        "x-ai",
        _right("auth", says="Incorrect API key"),
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Incorrect API key provided: xa***bc. You can obtain an API key from https://console.x.ai.",
        },
    ),
    refusal("a wrong key", "Mistral", _right("auth"), 401, {"detail": "Unauthorized"}),
    refusal("no balance", "DeepSeek", _right("auth"), 402, {"error": {"message": "Insufficient Balance"}}),
    refusal(
        "a spent quota", "Moonshot", _right("auth"), 429, {"error": {"type": "exceeded_current_quota_error"}}
    ),
    refusal(
        "a filtered prompt",
        "Azure",
        _right("content_filter"),
        400,
        {
            "error": {
                "message": "The response was filtered",
                "code": "content_filter",
                "status": 400,
                "innererror": {"code": "ResponsibleAIPolicyViolation"},
            }
        },
    ),
    refusal(
        "overloaded", "Moonshot", _right("overloaded"), 429, {"error": {"type": "engine_overloaded_error"}}
    ),
    refusal("no capacity", "Groq", _right("overloaded"), 498, {"error": {"message": "capacity exceeded"}}),
    refusal(
        "seconds to wait",
        "OpenAI",
        _right("rate_limited", wait_ms=2000.0),
        429,
        {},
        headers={"retry-after": "2"},
    ),
    refusal(
        "milliseconds to wait",
        "Azure",
        _right("rate_limited", wait_ms=150.0),
        429,
        {},
        headers={"retry-after": "2", "retry-after-ms": "150"},
    ),
    refusal(
        "a wait until the year 99999999999",
        "anyone",
        _right("rate_limited"),
        429,
        {},
        headers={"retry-after": "Mon, 23 Nov 99999999999 12:00:30 GMT"},
    ),
    refusal(
        "a wait of nonsense", "anyone", _right("rate_limited"), 429, {}, headers={"retry-after": "\xb2 soon"}
    ),
    refusal(
        "a balance too low",
        "Anthropic",
        _right("auth"),
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "Your credit balance is too low"},
        },
        wire=MESSAGES,
    ),
    refusal(
        "overloaded",
        "Anthropic",
        _right("overloaded", wait_ms=3000.0),
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        wire=MESSAGES,
        headers={"retry-after": "3"},
    ),
]
