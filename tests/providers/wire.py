"""A loopback HTTP server that says exactly the bytes a test scripts, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

STALL = object()
"""Say nothing more and keep the connection open."""
RESET = object()
"""Abort the connection."""


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Reply:
    """One scripted answer: pieces sent in order, then the connection is closed unless a piece says otherwise."""

    pieces: Sequence[Any] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    end_chunks: bool = True


@dataclass
class WireServer:
    url: str
    asked: list[Asked] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    was_left: asyncio.Event = field(default_factory=asyncio.Event)


Script = Sequence[Reply] | Callable[[Asked], Reply]


@asynccontextmanager
async def wire_server(script: Script) -> AsyncIterator[WireServer]:
    """Serve the replies in order (the last one again and again), or whatever the callable answers."""
    state = WireServer(url="")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read_request(reader)
            if asked is None:
                return
            state.asked.append(asked)
            state.was_asked.set()
            reply = script(asked) if callable(script) else script[min(len(state.asked), len(script)) - 1]
            await _say(reply, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            state.was_left.set()
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        server.close()


async def _read_request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    request_line, *lines = head.decode().split("\r\n")
    headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(path=request_line.split(" ")[1], headers=headers, body=_decoded(headers, body))


async def _say(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if reply.pieces and reply.pieces[0] is RESET:
        writer.transport.abort()
        return
    headers = {
        "content-type": reply.content_type,
        "transfer-encoding": "chunked",
        "connection": "close",
        **reply.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{head}\r\n".encode())
    for piece in reply.pieces:
        if piece is STALL:
            await reader.read()  # until the client goes away
            return
        if piece is RESET:
            writer.transport.abort()
            return
        data = piece if isinstance(piece, bytes) else piece.encode()
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        await writer.drain()
    if reply.end_chunks:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


def sse(*events: dict[str, Any] | str) -> list[str]:
    """Server-sent events, named by their `type` where they have one."""
    said = []
    for event in events:
        if isinstance(event, str):
            said.append(f"data: {event}\n\n")
            continue
        name = f"event: {event['type']}\n" if "type" in event else ""
        said.append(f"{name}data: {json.dumps(event)}\n\n")
    return said


def anthropic_stream(
    text: str = '{"ok": true}',
    *,
    usage: dict[str, Any] | None = None,
    final: dict[str, Any] | None = None,
    stop_reason: str = "end_turn",
    tool: bool = False,
) -> list[str]:
    """A whole Messages stream in the order the real API sends it."""
    delta = (
        {"type": "input_json_delta", "partial_json": text} if tool else {"type": "text_delta", "text": text}
    )
    block = (
        {"type": "tool_use", "id": "t", "name": "answer", "input": {}}
        if tool
        else {"type": "text", "text": ""}
    )
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-answered",
        "content": [],
        "stop_reason": None,
        "usage": usage or {"input_tokens": 11, "output_tokens": 1},
    }
    return sse(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason, "stop_sequence": None},
            "usage": final or {"output_tokens": 7},
        },
        {"type": "message_stop"},
    )


def openai_stream(
    text: str = '{"ok": true}',
    *,
    usage: dict[str, Any] | None = None,
    finish_reason: str = "stop",
    refusal: str | None = None,
) -> list[str]:
    """A whole chat-completions stream; the usage comes last, with no choices."""

    def chunk(choices: list[Any], **more: Any) -> dict[str, Any]:
        return {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "gpt-test-answered",
            "choices": choices,
            **more,
        }

    delta: dict[str, Any] = {"content": text} if refusal is None else {"refusal": refusal}
    told = usage or {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return sse(
        chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]),
        chunk([{"index": 0, "delta": delta, "finish_reason": None}]),
        chunk([{"index": 0, "delta": {}, "finish_reason": finish_reason}]),
        chunk([], usage=told),
        "[DONE]",
    )


def _decoded(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """The JSON of a body; an upload has none."""
    return {} if "multipart" in headers.get("content-type", "") else json.loads(body or b"{}")
