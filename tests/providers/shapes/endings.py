"""How answers end: without a reason, for unknown reasons, with an error inside, cut."""

from tests.providers.shapes.shape import (
    DONE,
    TEXT,
    USAGE,
    Right,
    Shape,
    chat,
    chat_body,
    chat_events,
    chunk,
    messages,
)

_SAID = (chunk({"content": "Hello "}), chunk({"content": "there"}))


def _error(word: object, **more: object) -> dict[str, object]:
    return {"error": {"message": "it went wrong", "code": word}, **more}


SHAPES: list[Shape] = [
    chat("no finish reason, usage and [DONE]", "Snowflake", Right(finish=None), finish=None),
    chat("an empty finish reason, usage and [DONE]", "a gateway", Right(finish=None), finish=""),
    chat("the word null for no reason", "Qwen", Right(finish=None), finish="null"),
    chat_events(
        "the word null before the reason",
        "Qwen",
        Right(),
        chunk({"content": TEXT}, "null"),
        chunk({"content": ""}, "stop"),
        chunk(usage=USAGE),
        DONE,
    ),
    chat_events("cut without a word", "anyone", Right(kind="connection", input=None, finish=None), *_SAID),
    chat_events(
        "[DONE] without usage or reason",
        "a proxy",
        Right(kind="connection", input=None, finish=None),
        *_SAID,
        DONE,
    ),
    chat_events(
        "usage without a reason or [DONE]",
        "a proxy",
        Right(kind="connection", input=None, finish=None),
        *_SAID,
        chunk(usage=USAGE),
    ),
    chat_events(
        "cut amid running totals",
        "x-ai",
        Right(kind="connection", input=None, finish=None),
        chunk({"content": "Hello "}, usage=USAGE),
        chunk({"content": "there"}, usage=USAGE),
    ),
    chat_events(
        "a cut event at the end",
        "anyone",
        Right(kind="connection", input=None, finish=None),
        *_SAID,
        'data: {"choi',
    ),
    *(
        chat(f"finish reason {reason}", like, Right(kind=kind, finish=str(reason)), finish=reason)
        for reason, like, kind in (
            ("stop", "anyone", "ok"),
            ("tool_calls", "OpenAI", "ok"),
            ("function_call", "OpenAI", "ok"),
            ("eos", "Together", "ok"),
            ("eos_token", "Hugging Face", "ok"),
            ("stop_sequence", "Hugging Face", "ok"),
            ("end_turn", "a gateway to Anthropic", "ok"),
            ("COMPLETE", "Cohere", "ok"),
            ("normal", "Baidu", "ok"),
            ("STOP", "Gemini", "ok"),
            ("length", "OpenAI", "truncated"),
            ("model_length", "Mistral", "truncated"),
            ("max_tokens", "a gateway", "truncated"),
            ("MAX_TOKENS", "Gemini", "truncated"),
            ("content_filter", "Azure", "content_filter"),
            ("content_filter: SAFETY", "OpenRouter", "content_filter"),
            ("content_filter: PROHIBITED_CONTENT", "OpenRouter", "content_filter"),
            ("PROHIBITED_CONTENT", "Gemini", "content_filter"),
            ("SAFETY", "Gemini", "content_filter"),
            ("RECITATION", "Gemini", "content_filter"),
            ("SPII", "Gemini", "content_filter"),
            ("sensitive", "Zhipu", "content_filter"),
            ("ERROR_TOXIC", "Cohere", "content_filter"),
            ("guardrail_intervened", "a gateway to Bedrock", "content_filter"),
            ("insufficient_system_resource", "DeepSeek", "overloaded"),
            ("error", "Mistral", "upstream_5xx"),
            ("network_error", "Zhipu", "upstream_5xx"),
            ("abort", "vLLM", "upstream_5xx"),
            ("MALFORMED_FUNCTION_CALL", "Gemini", "bad_output"),
            ("OTHER", "Gemini", "unknown_finish"),
            ("never_heard_of", "anyone", "unknown_finish"),
            ("unknown", "a gateway", "unknown_finish"),
            (7, "anyone", "unknown_finish"),
        )
    ),
    chat(
        "a reason that is an object",
        "a gateway",
        Right(kind="unknown_finish", finish='{"type":"stop"}'),
        finish={"type": "stop"},
    ),
    chat(
        "a refusal",
        "OpenAI",
        Right(kind="content_filter", says="refused"),
        deltas=[{"refusal": "I cannot help."}],
        message={"content": None, "refusal": "I cannot help."},
    ),
    chat(
        "nothing but blanks",
        "anyone",
        Right(kind="bad_output", says="empty"),
        deltas=[{"content": " \n"}],
        message={"content": " \n"},
    ),
    chat(
        "nothing but thinking",
        "DeepSeek",
        Right(kind="bad_output", says="empty"),
        deltas=[{"reasoning_content": "hm"}],
        message={"content": "", "reasoning_content": "hm"},
    ),
    # an error inside an answer that began well
    *(
        chat_events(
            f"an error in mid-stream: {word}",
            like,
            Right(kind=kind, input=None, finish=None, says="mid-stream, it went wrong"),
            *_SAID,
            _error(word),
            DONE,
        )
        for word, like, kind in (
            ("overloaded_error", "a gateway", "overloaded"),
            ("rate_limit_exceeded", "Groq", "rate_limited"),
            (429, "OpenRouter", "rate_limited"),
            (502, "OpenRouter", "upstream_5xx"),
            ("502", "OpenRouter", "upstream_5xx"),
            (529, "a gateway", "overloaded"),
            (401, "OpenRouter", "auth"),
            ("insufficient_quota", "OpenAI", "auth"),
            ("content_filter", "Azure", "content_filter"),
            ("invalid_api_key", "a gateway", "auth"),
            (None, "a gateway", "upstream_5xx"),
            ("never_heard_of", "a gateway", "upstream_5xx"),
            (99999, "a gateway", "upstream_5xx"),
        )
    ),
    chat_events(
        "usage beside an error in mid-stream",
        "OpenRouter",
        Right(kind="upstream_5xx", output=2, finish=None),
        chunk({"content": "Hello "}),
        _error(502, usage={"prompt_tokens": 20, "completion_tokens": 2}),
        DONE,
    ),
    chat_events(
        "nothing billed beside an error",
        "OpenRouter",
        Right(kind="upstream_5xx", input=0, output=0, finish=None),
        _error(502, usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
        DONE,
    ),
    chat_events(
        "an error inside a choice",
        "OpenRouter",
        Right(kind="rate_limited", input=None, finish="error"),
        chunk({"content": "Hello "}),
        {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 429, "message": "slow"}}]},
        DONE,
    ),
    chat_body(
        "an error inside a choice",
        "OpenRouter",
        Right(kind="rate_limited", finish="error"),
        {
            "choices": [
                {
                    "message": {"content": "Hel"},
                    "finish_reason": "error",
                    "error": {"code": 429, "message": "slow"},
                }
            ],
            "usage": USAGE,
        },
    ),
    chat_events(
        "an event named error",
        "Together",
        Right(kind="rate_limited", input=None, finish=None),
        *_SAID,
        'event: error\ndata: {"type": "rate_limit_error", "message": "slow"}\n\n',
    ),
    chat_events(
        "an event named error that is a text",
        "a proxy",
        Right(kind="upstream_5xx", input=None, finish=None, says="upstream went away"),
        *_SAID,
        "event: error\ndata: upstream went away\n\n",
    ),
    chat_events(
        "an error with an HTTP status under a longer name",
        "Hugging Face",
        Right(kind="rate_limited", input=None, finish=None),
        *_SAID,
        {"error": {"message": "busy", "http_status_code": 429}},
    ),
    chat_events(
        "an object that is an error",
        "vLLM",
        Right(kind="bad_request", input=None, finish=None),
        *_SAID,
        {"object": "error", "type": "BadRequestError", "code": 400, "message": "no"},
    ),
    chat_events(
        "an error that is a text",
        "Hugging Face",
        Right(kind="overloaded", input=None, finish=None),
        *_SAID,
        {"error": "Model is overloaded", "error_type": "overloaded"},
    ),
    chat_events(
        "a wait told inside the stream",
        "Gemini",
        Right(kind="rate_limited", input=None, finish=None, wait_ms=34_500.0),
        {
            "error": {
                "code": 429,
                "status": "RESOURCE_EXHAUSTED",
                "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}],
            }
        },
        headers={"retry-after": "3"},
    ),
    *(
        chat_body(f"an error as a success: {word}", like, Right(kind=kind, input=None, finish=None), body)
        for word, like, kind, body in (
            (
                "content_filter with a status",
                "Azure",
                "content_filter",
                {"error": {"code": "content_filter", "status": 400}},
            ),
            (
                "content_filter as the type",
                "a gateway",
                "content_filter",
                {"error": {"code": 400, "type": "content_filter"}},
            ),
            (
                "a status",
                "OpenRouter",
                "overloaded",
                {"error": {"code": 529, "message": "busy"}, "choices": []},
            ),
            ("a word", "Zhipu", "upstream_5xx", {"error": {"code": "1234", "message": "no"}}),
            ("a list", "Gemini", "rate_limited", [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}]),
        )
    ),
    *(
        chat_body(
            f"no answer: {body[:20]}", "anyone", Right(kind="bad_output", input=None, finish=None), body
        )
        for body in (
            "{}",
            "[]",
            "[1]",
            '{"choices": []}',
            '{"choices": 5}',
            '{"mod',
            "<html>",
            "null",
            "5",
            "",
        )
    ),
    # Anthropic
    *(
        messages(f"stop reason {reason}", like, Right(kind=kind, finish=reason), stop=reason)
        for reason, like, kind in (
            ("end_turn", "Anthropic", "ok"),
            ("stop_sequence", "Anthropic", "ok"),
            ("max_tokens", "Anthropic", "truncated"),
            ("model_context_window_exceeded", "Anthropic", "truncated"),
            ("pause_turn", "Anthropic", "truncated"),
            ("refusal", "Anthropic", "content_filter"),
            ("never_heard_of", "a gateway", "unknown_finish"),
        )
    ),
    messages("no stop reason, usage and message_stop", "a gateway", Right(finish=None), stop=None),
    messages(
        "no stop reason and no message_stop",
        "anyone",
        Right(kind="connection", input=None, finish=None),
        stop=None,
        last=(),
        forms=["stream"],
    ),
    messages(
        "overloaded in mid-stream, after a retry-after",
        "Anthropic",
        Right(kind="overloaded", input=None, finish=None, says="mid-stream"),
        stop=None,
        end={},
        last=({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},),
        headers={"retry-after": "43"},
        forms=["stream"],
    ),
    messages(
        "usage beside an error",
        "a gateway",
        Right(kind="overloaded", output=2, finish=None),
        stop=None,
        end={},
        last=({"type": "error", "error": {"type": "overloaded_error"}, "usage": {"output_tokens": 2}},),
        forms=["stream"],
    ),
    messages(
        "cut after a retry-after",
        "Anthropic",
        Right(kind="connection", input=None, finish=None),
        stop=None,
        end={},
        last=(),
        headers={"retry-after": "43"},
        forms=["stream"],
    ),
]
