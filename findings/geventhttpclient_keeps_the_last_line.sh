#!/usr/bin/env bash
# geventhttpclient (Locust's fast client) read line by line ends before the last line of a body that does not end in a line
# break: readline() gives b"" as at the end, and the line is still there, for read() alone. A stream of JSON lines, as several
# model servers send it, loses its last one, where the usage stands.
# Expected: as http.client, which gives the unterminated line. Seen with geventhttpclient 2.6.1, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check geventhttpclient==2.6.1
"$folder/venv/bin/python" - <<'PYTHON'
import http.client
import http.server
import threading

import geventhttpclient


class Lines(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b'{"text": "hello"}\n', b'{"usage": 2}'):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lines)
threading.Thread(target=server.serve_forever, daemon=True).start()


def lines_of(answer, *end):
    found = []
    while line := answer.readline(*end):
        found.append(bytes(line))
    return found


plain = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
plain.request("GET", "/")
expected = lines_of(plain.getresponse())
answer = geventhttpclient.HTTPClient("127.0.0.1", server.server_port).get("/")
seen = lines_of(answer, b"\n")
left = bytes(answer.read())
print(f"http.client: {expected}")
print(f"geventhttpclient {geventhttpclient.__version__}: {seen}, then read(): {left!r}")
assert expected == [b'{"text": "hello"}\n', b'{"usage": 2}']
assert seen == expected[:1]
assert left == expected[1]
PYTHON
