"""A provider that answers at once: fixed bytes for both wire formats, kept alive, in a process of its own.

Run: python benchmarks/overhead/upstream.py   (prints its port, serves until its stdin closes)
"""

import asyncio
import json
import sys

PIECES = 16
TEXT = "word "


def _event(body: dict[str, object], name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(body)}\n\n".encode()


def anthropic_events() -> list[bytes]:
    """A Messages stream of 16 text pieces."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-6",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 500, "output_tokens": 1},
    }
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}
            for _ in range(PIECES)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": PIECES}},
        {"type": "message_stop"},
    ]
    return [_event(event, str(event["type"])) for event in events]


def openai_events() -> list[bytes]:
    """A chat-completions stream of 16 text pieces, usage last."""
    base = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}

    def choice(delta: dict[str, str], reason: str | None = None) -> list[dict[str, object]]:
        return [{"index": 0, "delta": delta, "finish_reason": reason}]

    usage = {"prompt_tokens": 500, "completion_tokens": PIECES, "total_tokens": 500 + PIECES}
    chunks = [_event({**base, "choices": choice({"content": TEXT})}) for _ in range(PIECES)]
    ends = [_event({**base, "choices": choice({}, "stop")}), _event({**base, "choices": [], "usage": usage})]
    return [*chunks, *ends, b"data: [DONE]\n\n"]


ANSWERS = {"/v1/messages": anthropic_events(), "/v1/chat/completions": openai_events()}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def whole(path: str) -> bytes:
    """One whole response, an HTTP chunk an event."""
    chunks = b"".join(f"{len(event):x}\r\n".encode() + event + b"\r\n" for event in ANSWERS[path])
    return HEAD + chunks + b"0\r\n\r\n"


RESPONSES = {path: whole(path) for path in ANSWERS}


async def _handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(
                line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length")
            )
            await reader.readexactly(int(length))
            writer.write(RESPONSES[head.split(" ")[1]])
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
