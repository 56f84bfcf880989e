"""A loopback target for load tests: answers at once, or after what a test says."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(
            200, {"ok": True, "provider": "anthropic", "provider_mode": "emulated", "cost_max_usd": 1}
        )

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.headers.get("x-request-id"), json.loads(body), dict(self.headers)))
        time.sleep(self.server.delay_s)
        if self.server.frames is None:
            self._answer(self.server.status, self.server.payload)
        else:
            self._stream(self.server.frames)

    def _stream(self, frames):
        """Each frame as one chunk, with a pause before it; None cuts the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        for name, value in self.server.extra_headers.items():
            self.send_header(name, value)
        self.end_headers()
        for pause_s, frame in frames:
            time.sleep(pause_s)
            if frame is None:
                self.close_connection = True
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(frame), frame))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _answer(self, status, payload):
        body = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.extra_headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Target(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen = []
        self.delay_s = 0.0
        self.status = 200
        self.payload = {"graph": {}}
        self.extra_headers = {}
        self.frames = None
        self.accepted = []

    def get_request(self):
        connection, address = super().get_request()
        self.accepted.append(connection)
        return connection, address

    def hang_up(self):
        """Close every connection from this side, as servers do with idle ones."""
        for connection in self.accepted:
            connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running_target():
    target = Target()
    thread = threading.Thread(target=target.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield target
    finally:
        target.shutdown()
        target.server_close()
