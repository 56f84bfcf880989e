"""A small model server of somebody else's: two models behind `/v1/chat/completions`, with a ledger of its own.

It knows the capitals of a few countries. The `large` model knows them all; the `small` one is wrong about some
and says less. Nothing of harness is in it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Japan": "Tokyo",
    "Peru": "Lima",
    "Kenya": "Nairobi",
    "Norway": "Oslo",
    "Cuba": "Havana",
    "Egypt": "Cairo",
    "India": "New Delhi",
    "Chile": "Santiago",
    "Ghana": "Accra",
    "Fiji": "Suva",
}
UNKNOWN_TO_SMALL = ("Fiji", "Ghana")


@dataclass
class Ledger:
    """What the server really did."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, model: str) -> list[dict[str, Any]]:
        """The calls of one model."""
        return [call for call in self.calls if call["model"] == model]


def _answer(model: str, question: str) -> str:
    country = next((name for name in CAPITALS if name in question), None)
    if country is None or (model == "small" and country in UNKNOWN_TO_SMALL):
        return "I do not know."
    return f"The capital of {country} is {CAPITALS[country]}." if model == "large" else CAPITALS[country]


def _handler(ledger: Ledger, broken: frozenset[str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if body["model"] in broken:
                self._whole(503, {"error": {"message": "the model is not loaded", "type": "server_error"}})
                return
            text = _answer(body["model"], body["messages"][-1]["content"])
            usage = {
                "prompt_tokens": sum(len(turn["content"].split()) for turn in body["messages"]),
                "completion_tokens": len(text.split()),
            }
            usage["total_tokens"] = sum(usage.values())
            with ledger.lock:
                ledger.calls.append({"model": body["model"], "path": self.path, "body": body, **usage})
            if body.get("stream"):
                self._streamed(body["model"], text, usage)
            else:
                choice = {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
                self._whole(200, {**_head(body["model"]), "choices": [choice], "usage": usage})

        def _whole(self, status: int, answer: dict[str, Any]) -> None:
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _streamed(self, model: str, text: str, usage: dict[str, int]) -> None:
            head = {**_head(model), "object": "chat.completion.chunk"}
            deltas = [{"role": "assistant"}, *({"content": f"{word} "} for word in text.split())]
            chunks = [{**head, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
            chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            chunks.append({**head, "choices": [], "usage": usage})
            data = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
            data += b"data: [DONE]\n\n"
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _head(model: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}


@contextmanager
def model_server(*, broken: frozenset[str] = frozenset()) -> Iterator[tuple[str, Ledger]]:
    """The server on a free port of loopback: its base URL and its ledger.

    Args:
        broken: models that answer nothing but 503.
    """
    ledger = Ledger()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(ledger, broken))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", ledger
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
