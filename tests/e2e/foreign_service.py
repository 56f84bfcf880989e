"""A small service of somebody else's: summaries at once, streamed, in chunks, and as jobs behind a login.

It keeps a ledger of what it really did. Nothing of harness is in it.
"""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "session-4711-of-nobody"
MODEL = "gpt-4o-mini"
PIECES = ("A ", "short ", "summary.")


@dataclass
class Ledger:
    """What the service really did.

    Attributes:
        served: each request with its path, id, tenant, tokens and time from its head to the answer's end.
        delay_s: how long a summary takes. polls: how often a job says that it is still running.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    under_way: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    jobs: dict[str, int] = field(default_factory=dict)
    delay_s: float = 0.02
    polls: int = 2
    is_broken: bool = False

    @property
    def served(self) -> list[dict[str, Any]]:
        """All of them, once none is under way: a client has its answer before the row is written."""
        with self.changed:
            assert self.changed.wait_for(lambda: not self.under_way, timeout=10)
            return list(self.rows)

    @contextmanager
    def serving(self):
        """One request from its head to its row."""
        with self.changed:
            self.under_way += 1
        try:
            yield
        finally:
            with self.changed:
                self.under_way -= 1
                self.changed.notify_all()

    def of(self, path: str) -> list[dict[str, Any]]:
        """Requests of one path, warm-ups and checks left out."""
        counted = (each for each in self.served if each["path"] == path)
        return [each for each in counted if not each["id"].endswith(("-warmup", "-check", "-probe"))]


def tokens_of(text: str) -> tuple[int, int]:
    """Tokens in and out: as many in as characters, and always a dozen out."""
    return len(text), 12


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the head to be acknowledged
    server: Any

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        with self.server.ledger.serving():
            self._get()

    def _get(self) -> None:
        begun = time.perf_counter()
        if self.path == "/alive":
            self.send_response(204)
            self.end_headers()
            return
        job = self.path.rpartition("/")[2]
        left = self.server.ledger.jobs.get(job)
        if left is None:
            self._answer(404, {"detail": "no such job"})
        elif left > 0:
            self.server.ledger.jobs[job] = left - 1
            self._answer(200, {"state": "running"})
        else:
            usage = {"input_tokens": 40, "output_tokens": 12}
            self._answer(200, {"state": "done", "result": {"summary": "ok", "usage": usage, "model": MODEL}})
        self._note(begun, "/v1/jobs/ID", {})

    def do_POST(self) -> None:
        with self.server.ledger.serving():
            self._post()

    def _post(self) -> None:
        begun = time.perf_counter()
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        route = {
            "/v1/summarise": self._summary,
            "/v1/stream": self._stream,
            "/v1/chunks": self._chunks,
            "/v1/login": self._login,
            "/v1/jobs": self._job,
        }
        told = route[self.path](body)
        self._note(begun, self.path, {**body, **told})

    def _summary(self, body: dict[str, Any]) -> dict[str, Any]:
        time.sleep(self.server.ledger.delay_s)
        if self.server.ledger.is_broken or "text" not in body or "tenant" not in body:
            self._answer(422, {"detail": f"cannot summarise {body.get('text')}"})
            return {}
        taken, given = tokens_of(body["text"])
        usage = {"input_tokens": taken, "output_tokens": given}
        self._answer(200, {"summary": body["text"][:40], "usage": usage, "model": MODEL})
        return usage

    def _login(self, body: dict[str, Any]) -> dict[str, Any]:
        well = body.get("user") == "load"
        self._answer(200 if well else 401, {"token": TOKEN} if well else {"detail": "who are you?"})
        return {}

    def _job(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"detail": "log in first"})
            return {}
        job = f"j-{len(self.server.ledger.jobs)}"
        self.server.ledger.jobs[job] = self.server.ledger.polls
        self._answer(202, {"job": {"id": job}})
        return {}

    def _stream(self, body: dict[str, Any]) -> dict[str, Any]:
        usage = dict(zip(("input_tokens", "output_tokens"), tokens_of(body["text"]), strict=True))
        frames = [f"event: delta\ndata: {json.dumps({'piece': piece})}\n\n" for piece in PIECES]
        frames.append(f"event: end\ndata: {json.dumps({'usage': usage, 'model': MODEL})}\n\n")
        self._send_pieces("text/event-stream", [": hello\n\n", *frames])
        return usage

    def _chunks(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("lines"):
            lines = [json.dumps({"piece": piece}) + "\n" for piece in PIECES]
            self._send_pieces("application/x-ndjson", [*lines, json.dumps({"done": True, "model": MODEL})])
        else:
            self._send_pieces("text/plain", list(PIECES))
        return {}

    def _send_pieces(self, kind: str, pieces: list[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            data = piece.encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
            self.wfile.flush()
            time.sleep(self.server.ledger.delay_s)
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, status: int, fields: dict[str, Any]) -> None:
        body = json.dumps(fields).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Trace", f"t-{len(self.server.ledger.rows)}")
        self.end_headers()
        self.wfile.write(body)

    def _note(self, begun: float, path: str, more: dict[str, Any]) -> None:
        spent_ms = (time.perf_counter() - begun) * 1000
        identity = self.headers["x-request-id"] or ""
        self.server.ledger.rows.append({**more, "path": path, "id": identity, "ms": spent_ms})


@contextmanager
def foreign_service():
    """The service on a free port of loopback: its URL and its ledger."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.ledger = Ledger()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.ledger
    finally:
        server.shutdown()
        server.server_close()
