"""How providers count: thinking beside the answer, caches under other names, contradictions, and no numbers."""

from tests.providers.shapes.shape import (
    DONE,
    UNKNOWN,
    USAGE,
    Right,
    Shape,
    chat,
    chat_body,
    chat_events,
    chunk,
    messages,
)


def _chat(prompt: object, completion: object, total: object = None, **more: object) -> dict[str, object]:
    told = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {**told, **({} if total is None else {"total_tokens": total}), **more}


_IMPOSSIBLE = [
    "500.0",
    "1e30",
    "NaN",
    "Infinity",
    "-Infinity",
    "-5",
    '"20"',
    "true",
    "[20]",
    "{}",
    "9" * 5000,
]
_IMPOSSIBLE += ["2000000000000000000", "18446744073709551616", "1e400", "-0.5"]

SHAPES: list[Shape] = [
    chat("the plain shape", "OpenAI", Right()),
    chat(
        "reasoning beside the completion",
        "x-ai",
        Right(output=305, reasoning=300, remark="total"),
        usage=_chat(20, 5, 325, completion_tokens_details={"reasoning_tokens": 300}),
    ),
    chat(
        "reasoning within the completion",
        "OpenAI",
        Right(output=305, reasoning=300),
        usage=_chat(20, 305, 325, completion_tokens_details={"reasoning_tokens": 300}),
    ),
    chat(
        "thinking only in the total",
        "Gemini",
        Right(output=305, reasoning=300, remark="total"),
        usage=_chat(20, 5, 325),
    ),
    chat(
        "all thinking, completion zero, cut by the limit",
        "Gemini",
        Right(kind="truncated", output=300, reasoning=300, finish="length", remark="total"),
        usage=_chat(20, 0, 320),
        deltas=[{"role": "assistant"}],
        message={"role": "assistant"},
        finish="length",
    ),
    chat(
        "reasoning told at the top",
        "Perplexity",
        Right(output=305, reasoning=300),
        usage=_chat(20, 305, 325, reasoning_tokens=300),
    ),
    chat(
        "more reasoning than completion",
        "Together",
        Right(output=10, reasoning=10, remark="reasoning"),
        usage=_chat(20, 10, 30, completion_tokens_details={"reasoning_tokens": 11}),
    ),
    chat(
        "more reasoning than completion and no total",
        "SGLang",
        Right(output=10, reasoning=10, remark="reasoning"),
        usage=_chat(20, 10, completion_tokens_details={"reasoning_tokens": 11}),
    ),
    chat(
        "as many cached as written as nearly all",
        "OpenRouter",
        Right(input=2168, read=2161, write_5m=7, remark="cached"),
        usage=_chat(2168, 5, 2173, prompt_tokens_details={"cached_tokens": 2161, "cache_write_tokens": 2161}),
    ),
    chat(
        "more cached than prompt",
        "a gateway",
        Right(input=20, read=20, remark="cached"),
        usage=_chat(20, 5, 25, prompt_tokens_details={"cached_tokens": 64}),
    ),
    chat(
        "cached tokens beside the prompt",
        "a gateway to Anthropic",
        Right(input=2020, read=2000, remark="beside"),
        usage=_chat(20, 5, 2025, prompt_tokens_details={"cached_tokens": 2000}),
    ),
    *(
        chat(f"cached tokens as {name}", like, Right(input=100, read=64), usage=_chat(100, 5, 105, **usage))
        for name, like, usage in (
            (
                "prompt_tokens_details.cached_tokens",
                "OpenAI",
                {"prompt_tokens_details": {"cached_tokens": 64}},
            ),
            ("num_cached_tokens", "Mistral", {"num_cached_tokens": 64}),
            ("num_cached_tokens within", "Mistral", {"prompt_tokens_details": {"num_cached_tokens": 64}}),
            ("cached_tokens at the top", "Moonshot", {"cached_tokens": 64}),
            (
                "prompt_cache_hit_tokens",
                "DeepSeek",
                {"prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
            ),
            ("cache_read_input_tokens", "LiteLLM", {"cache_read_input_tokens": 64}),
            (
                "one name told and another zero",
                "DeepSeek",
                {"prompt_cache_hit_tokens": 64, "prompt_tokens_details": {"cached_tokens": 0}},
            ),
            ("input_tokens_details", "Snowflake", {"input_tokens_details": {"cached_tokens": 64}}),
        )
    ),
    chat(
        "cache writes",
        "LiteLLM",
        Right(input=100, read=32, write_5m=64),
        usage=_chat(100, 5, 105, cache_read_input_tokens=32, cache_creation_input_tokens=64),
    ),
    chat("null details", "vLLM", Right(), usage={**USAGE, "prompt_tokens_details": None}),
    chat("details that are none", "a gateway", Right(), usage={**USAGE, "completion_tokens_details": []}),
    chat("a total that is too small", "a gateway", Right(), usage=_chat(20, 5, 0)),
    chat("usage in x_groq only", "Groq", Right(), usage_at="x_groq"),
    chat("usage in the choice", "Moonshot", Right(), usage_at="choice"),
    chat("no usage at all", "Ollama", UNKNOWN, usage=None),
    chat("usage is null", "a gateway", UNKNOWN, usage=None, more={"usage": None}),
    chat("zero usage beside an answer", "a gateway", UNKNOWN, usage=_chat(0, 0, 0)),
    chat("zero output beside an answer", "a gateway", UNKNOWN, usage=_chat(20, 0, 20)),
    chat("zero input beside an answer", "a gateway", UNKNOWN, usage=_chat(0, 5, 5)),
    chat("prompt tokens missing", "a gateway", UNKNOWN, usage={"completion_tokens": 5}),
    chat("completion tokens missing", "a gateway", UNKNOWN, usage={"prompt_tokens": 20}),
    chat("usage that is a list", "a gateway", UNKNOWN, usage=[20, 5]),
    chat("2e18 tokens of cache", "a gateway", UNKNOWN, usage={**USAGE, "cached_tokens": 2 * 10**18}),
    chat_events(
        "a later null and a later zero",
        "a gateway",
        Right(input=100, read=64),
        chunk({"content": "Hello there"}),
        chunk({}, "stop"),
        chunk(usage=_chat(100, 5, 105, prompt_tokens_details={"cached_tokens": 64})),
        chunk(usage=_chat(0, 0, 0, prompt_tokens_details={"cached_tokens": 0})),
        chunk(usage=None),
        DONE,
    ),
    chat_events(
        "running totals with every chunk",
        "x-ai",
        Right(),
        chunk({"content": "Hello "}, usage=_chat(20, 2, 22)),
        chunk({"content": "there"}, usage=_chat(20, 4, 24)),
        chunk({}, "stop", usage=_chat(20, 5, 25)),
        DONE,
    ),
    chat_events(
        "usage with the last text, before the reason",
        "Perplexity",
        Right(),
        chunk({"content": "Hello "}, usage=_chat(20, 2, 22)),
        chunk({"content": "there"}, usage=_chat(20, 5, 25)),
        chunk({}, "stop"),
        DONE,
    ),
    *(
        chat_events(
            f"tokens of {number[:24]}",
            "anyone",
            UNKNOWN,
            chunk({"content": "Hello there"}),
            chunk({}, "stop"),
            f'data: {{"choices": [], "usage": {{"prompt_tokens": {number}, "completion_tokens": 5}}}}\n\n',
            DONE,
        )
        for number in _IMPOSSIBLE
    ),
    *(
        chat_body(
            f"tokens of {number[:24]}, whole",
            "anyone",
            UNKNOWN,
            '{"choices": [{"message": {"content": "Hello there"}, "finish_reason": "stop"}],'
            f' "usage": {{"prompt_tokens": 20, "completion_tokens": {number}}}}}',
        )
        for number in _IMPOSSIBLE
    ),
    messages("the plain shape", "Anthropic", Right(finish="end_turn")),
    messages(
        "a later zero input",
        "a gateway",
        Right(input=2000, finish="end_turn"),
        start={"input_tokens": 2000, "output_tokens": 1},
        end={"input_tokens": 0, "output_tokens": 5},
    ),
    messages(
        "a later zero cache write",
        "a gateway",
        Right(input=2020, write_5m=2000, finish="end_turn"),
        start={"input_tokens": 20, "cache_creation_input_tokens": 2000, "output_tokens": 1},
        end={"input_tokens": 20, "cache_creation_input_tokens": 0, "output_tokens": 5},
    ),
    messages(
        "later nulls",
        "a gateway",
        Right(input=2020, read=2000, finish="end_turn"),
        start={"input_tokens": 20, "cache_read_input_tokens": 2000, "output_tokens": 1},
        end={"input_tokens": None, "cache_read_input_tokens": None, "output_tokens": 5},
    ),
    messages(
        "all of it at the end",
        "Moonshot",
        Right(input=2020, read=2000, finish="end_turn"),
        start={"input_tokens": 0, "output_tokens": 0},
        end={"input_tokens": 20, "cache_read_input_tokens": 2000, "output_tokens": 5},
    ),
    messages(
        "hour-long writes told only in the split",
        "Bedrock",
        Right(input=2020, write_1h=2000, finish="end_turn"),
        start={"input_tokens": 20, "cache_creation": {"ephemeral_1h_input_tokens": 2000}},
    ),
    messages(
        "both lifetimes",
        "Anthropic",
        Right(input=120, write_5m=60, write_1h=40, finish="end_turn"),
        start={
            "input_tokens": 20,
            "cache_creation_input_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40},
        },
    ),
    messages(
        "a split that exceeds its total",
        "a gateway",
        Right(input=120, write_1h=100, remark="lifetime", finish="end_turn"),
        start={
            "input_tokens": 20,
            "cache_creation_input_tokens": 100,
            "cache_creation": {"ephemeral_1h_input_tokens": 140},
        },
    ),
    messages(
        "everything cached",
        "Anthropic",
        Right(input=2000, read=2000, finish="end_turn"),
        start={"input_tokens": 0, "cache_read_input_tokens": 2000},
    ),
    messages(
        "thinking within the output",
        "Anthropic",
        Right(output=305, reasoning=300, finish="end_turn"),
        end={"output_tokens": 305, "output_tokens_details": {"thinking_tokens": 300}},
    ),
    messages(
        "zero usage beside an answer",
        "a gateway",
        Right(input=None, finish="end_turn"),
        start={"input_tokens": 0, "output_tokens": 0},
        end={"output_tokens": 0},
    ),
    messages(
        "no usage at the end", "a gateway", Right(input=None, finish="end_turn"), end={}, forms=["stream"]
    ),
    messages(
        "counts of 500.0", "a gateway", Right(input=None, finish="end_turn"), start={"input_tokens": 500.0}
    ),
    messages(
        "counts of 2e18",
        "a gateway",
        Right(input=None, finish="end_turn"),
        start={"input_tokens": 2 * 10**18},
    ),
    messages("counts of -1", "a gateway", Right(input=None, finish="end_turn"), end={"output_tokens": -1}),
]
