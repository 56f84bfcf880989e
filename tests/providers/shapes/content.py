"""What an answer is made of: lists of parts, thinking in every place, ids, served models and own bills."""

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

_THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "let me see"}]}
_PARTS = [_THOUGHT, {"type": "text", "text": "Hello "}, {"type": "text", "text": "there"}]


def _thinking(name: str, like: str, deltas: list[dict[str, object]], message: dict[str, object]) -> Shape:
    said = [*deltas, {"content": "Hello "}, {"content": "there"}]
    return chat(
        name, like, Right(), deltas=said, message={**message, "content": message.get("content", TEXT)}
    )


SHAPES: list[Shape] = [
    chat(
        "content as a list of parts",
        "Mistral",
        Right(),
        deltas=[
            {"content": [_THOUGHT]},
            {"content": [{"type": "text", "text": "Hello "}]},
            {"content": "there"},
        ],
        message={"role": "assistant", "content": _PARTS},
    ),
    chat(
        "parts of text and of strings in one list",
        "a gateway",
        Right(),
        deltas=[{"content": ["Hello ", {"type": "text", "text": "there"}]}],
        message={"content": ["Hello ", {"type": "output_text", "text": "there"}]},
    ),
    chat(
        "one part without a list",
        "a gateway",
        Right(),
        deltas=[{"content": {"type": "text", "text": TEXT}}],
        message={"content": {"type": "text", "text": TEXT}},
    ),
    chat(
        "references between the parts",
        "Mistral",
        Right(),
        deltas=[{"content": [{"type": "text", "text": TEXT}, {"type": "reference", "reference_ids": [1]}]}],
        message={"content": [{"type": "text", "text": TEXT}, {"type": "reference", "reference_ids": [1]}]},
    ),
    chat(
        "a part that is a thought by a flag",
        "Gemini",
        Right(),
        deltas=[{"content": [{"text": "hm", "thought": True}, {"text": TEXT}]}],
        message={"content": [{"text": "hm", "thought": True}, {"text": TEXT}]},
    ),
    _thinking("reasoning_content", "DeepSeek", [{"reasoning_content": "hm"}], {"reasoning_content": "hm"}),
    _thinking("reasoning", "Groq", [{"reasoning": "hm", "content": ""}], {"reasoning": "hm"}),
    _thinking(
        "reasoning_details",
        "OpenRouter",
        [{"reasoning_details": [{"type": "reasoning.text", "text": "hm"}], "content": None}],
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
    ),
    _thinking(
        "thinking_blocks", "LiteLLM", [{"thinking_blocks": [{"thinking": "hm"}]}], {"thinking_blocks": []}
    ),
    _thinking(
        "a think block in the text",
        "Perplexity",
        [{"content": "<th"}, {"content": "ink>\nhm"}, {"content": " hm</thi"}, {"content": "nk>\n\n"}],
        {"content": f"<think>\nhm hm</think>\n\n{TEXT}"},
    ),
    chat(
        "a text that begins like a tag",
        "anyone",
        Right(text="<thing>"),
        deltas=[{"content": "<th"}, {"content": "ing>"}],
        message={"content": "<thing>"},
    ),
    chat(
        "a text that ends within a tag",
        "anyone",
        Right(text="<th"),
        deltas=[{"content": "<th"}],
        message={"content": "<th"},
    ),
    chat(
        "half a character in each piece",
        "a gateway",
        Right(text="Hi \U0001f600"),
        deltas=[{"content": "Hi \ud83d"}, {"content": "\ude00"}],
        message={"content": "Hi \U0001f600"},
    ),
    chat(
        "half a character alone",
        "a gateway",
        Right(text="Hi \ufffd"),
        deltas=[{"content": "Hi \ud83d"}],
        message={"content": "Hi \ud83d"},
    ),
    chat(
        "a null role and a null refusal",
        "vLLM",
        Right(),
        message={"role": None, "content": TEXT, "refusal": None},
    ),
    chat_events(
        "filter results before any choice",
        "Azure",
        Right(served="gpt-4o-mini"),
        {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
        chunk({"content": "Hello "}, content_filter_results={}),
        chunk({"content": "there"}),
        chunk({}, "stop"),
        chunk(usage=USAGE),
        DONE,
    ),
    chat_events(
        "a message beside each delta",
        "Perplexity",
        Right(),
        {
            "choices": [{"delta": {"content": "Hello "}, "message": {"content": "Hello "}}],
            "model": "gpt-4o-mini",
        },
        {
            "choices": [
                {"delta": {"content": "there"}, "message": {"content": TEXT}, "finish_reason": "stop"}
            ],
            "usage": USAGE,
        },
        {"choices": [{"delta": {}, "message": {"content": TEXT}, "finish_reason": "stop"}], "usage": USAGE},
        DONE,
    ),
    chat_events(
        "a message where the delta should be",
        "a gateway",
        Right(),
        {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "usage": USAGE},
        DONE,
    ),
    chat_events(
        "comments, names and a byte-order mark",
        "OpenRouter",
        Right(),
        "\ufeff: PROCESSING\n\n",
        ": OPENROUTER PROCESSING\n\n",
        chunk({"content": "Hello "}),
        "event: ping\ndata: {}\n\n",
        "data:\n\n",
        chunk({"content": "there"}),
        chunk({}, "stop", usage=USAGE),
        DONE,
    ),
    chat_events(
        "carriage returns at the line ends",
        "a gateway",
        Right(),
        *(
            f"data: {text}\r\n\r\n"
            for text in (
                '{"choices":[{"delta":{"content":"Hello "}}]}',
                '{"choices":[{"delta":{"content":"there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":5}}',
                "[DONE]",
            )
        ),
    ),
    chat_events(
        "no blank line at the very end",
        "a gateway",
        Right(),
        chunk({"content": TEXT}),
        chunk({}, "stop"),
        'data: {"choices": [], "usage": {"prompt_tokens": 20, "completion_tokens": 5}}',
    ),
    chat_body(
        "JSON though a stream was asked",
        "a gateway",
        Right(),
        {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "usage": USAGE},
    ),
    # who answered
    chat(
        "the served model", "OpenAI", Right(served="gpt-4o-mini-2024-07-18"), model="gpt-4o-mini-2024-07-18"
    ),
    # the provider's own bill
    *(
        chat(f"own bill as {name}", like, Right(own_cost=cost), usage={**USAGE, **told})
        for name, like, told, cost in (
            ("cost", "OpenRouter", {"cost": 0.00012}, "0.00012"),
            ("a cost of nothing", "OpenRouter", {"cost": 0}, "0"),
            ("a cost as text", "a gateway", {"cost": "0.00012"}, "0.00012"),
            ("cost in an exponent", "OpenRouter", {"cost": 1.2e-05}, "0.000012"),
            (
                "a fee beside one's own key",
                "OpenRouter",
                {"cost": 0.00001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.0002}},
                "0.00021",
            ),
            ("cost_in_usd_ticks", "x-ai", {"cost_in_usd_ticks": 1234500}, "0.00012345"),
            (
                "a cost of parts",
                "Perplexity",
                {"cost": {"input_tokens_cost": 0.1, "total_cost": 0.006}},
                "0.006",
            ),
            ("estimated_cost", "DeepInfra", {"estimated_cost": 0.00012}, "0.00012"),
            ("cost_estimate", "a gateway", {"cost_estimate": 0.00012}, "0.00012"),
        )
    ),
    chat("own bill beside the usage", "a gateway", Right(own_cost="0.5"), more={"cost_estimate": 0.5}),
    chat(
        "own bill in a header",
        "LiteLLM",
        Right(own_cost="0.00012"),
        headers={"x-litellm-response-cost": "0.00012"},
    ),
    # the id for support
    *(
        chat(f"its id in {name}", like, Right(request_id="id-7"), headers={name: "id-7"})
        for name, like in (
            ("x-request-id", "OpenAI"),
            ("mistral-correlation-id", "Mistral"),
            ("inference-id", "a gateway"),
            ("x-ds-trace-id", "DeepSeek"),
            ("x-generation-id", "OpenRouter"),
            ("x-litellm-call-id", "LiteLLM"),
            ("apim-request-id", "Azure"),
        )
    ),
    chat("its id only in the body", "OpenRouter", Right(request_id="chat-1")),
    # a wait that is none
    *(
        chat("retry-after on a success", like, Right(), headers=headers)
        for like, headers in (
            ("Hugging Face", {"retry-after": "61"}),
            ("OpenAI", {"retry-after-ms": "3000"}),
        )
    ),
    messages(
        "retry-after on a success",
        "Anthropic",
        Right(finish="end_turn"),
        headers={"retry-after": "43", "anthropic-ratelimit-requests-remaining": "3999"},
    ),
    # Anthropic's blocks
    messages(
        "thinking before the text",
        "Anthropic",
        Right(finish="end_turn"),
        content=[{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "text", "text": TEXT}],
        middle=[
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "thinking", "thinking": ""},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": "hm"},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "signature_delta", "signature": "c2ln"},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "Hello "}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "there"}},
            {"type": "content_block_stop", "index": 1},
        ],
    ),
    messages(
        "a tool's input at once",
        "a gateway",
        Right(text='{"ok":true}', finish="tool_use"),
        stop="tool_use",
        content=[{"type": "tool_use", "id": "t", "name": "answer", "input": {"ok": True}}],
        middle=[
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "tool_use", "id": "t", "name": "answer", "input": {"ok": True}},
            },
            {"type": "content_block_stop", "index": 0},
        ],
    ),
    messages(
        "a server's own search beside the text",
        "Anthropic",
        Right(finish="end_turn"),
        content=[{"type": "server_tool_use", "input": {"query": "q"}}, {"type": "text", "text": TEXT}],
        middle=[
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "server_tool_use", "input": {}},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": '{"q'},
            },
            {"type": "content_block_stop", "index": 0},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": TEXT}},
            {"type": "content_block_stop", "index": 1},
        ],
    ),
    messages(
        "events without names",
        "a gateway",
        Right(finish="end_turn"),
        forms=["stream"],
        last=({"type": "message_stop"},),
    ),
    messages(
        "[DONE] after the stop",
        "a gateway",
        Right(finish="end_turn"),
        forms=["stream"],
        last=({"type": "message_stop"},),
    ),
]
