#!/usr/bin/env bash
# Locust's CSV of a finished headless run lacks requests that the same run's --json and the server have: its last row was
# written before the end. Counts and percentiles of `--csv` and of `--json` differ for one and the same run.
# Expected: equal counts once the process has ended. Seen with locust 2.47.0, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check locust==2.47.0
cat > "$folder/locustfile.py" <<'PYTHON'
from locust import FastHttpUser, constant_throughput, task


class User(FastHttpUser):
    wait_time = constant_throughput(10)

    @task
    def ask(self):
        self.client.get("/")
PYTHON
cat > "$folder/run.py" <<'PYTHON'
import csv
import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import locust

folder = Path(sys.argv[1])
served = []


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        served.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
done = subprocess.run(
    [sys.executable, "-m", "locust", "-f", str(folder / "locustfile.py"), "--headless", "--only-summary", "--json",
     "-u", "4", "-r", "4", "-t", "5s", "--csv", str(folder / "tea"), "--host", f"http://127.0.0.1:{server.server_port}"],
    capture_output=True, text=True, check=True, timeout=60,
)
told = sum(entry["num_requests"] for entry in json.loads(done.stdout))
with (folder / "tea_stats.csv").open() as table:
    written = next(int(row["Request Count"]) for row in csv.DictReader(table) if row["Name"] == "Aggregated")
print(f"locust {locust.__version__}: server {len(served)}, --json {told}, --csv {written}")
assert told == len(served)
assert written < told
PYTHON
"$folder/venv/bin/python" "$folder/run.py" "$folder"
