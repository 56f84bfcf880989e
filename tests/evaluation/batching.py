"""Batched evaluations against an emulator that outlives them, and what the two accounts say."""

import asyncio
import io
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.cli.app import main
from harness.records import load_json_exact
from harness.store import StorePaths, open_store

ROOT = Path(__file__).parents[2]
WAIT_S = 120.0


def environment(base_url=None):
    """The variables of a command; with a base URL its providers are there, as if they were real ones."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_", "HARNESS_"))}
    env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    if base_url is not None:
        env |= {
            "ANTHROPIC_BASE_URL": base_url,
            "ANTHROPIC_API_KEY": "sk-ant-test",
            "OPENAI_BASE_URL": f"{base_url}/v1",
            "OPENAI_API_KEY": "sk-test",
        }
    return env


def harness(*args, base_url=None, timeout_s=240, **variables):
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, args)],
        capture_output=True,
        text=True,
        env=environment(base_url) | variables,
        timeout=timeout_s,
        check=False,
    )


def harness_here(*args, base_url=None, **variables):
    """The same command in this process, which has imported everything long since; nothing is left of it."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    saved = dict(os.environ), sys.argv
    os.environ |= environment(base_url) | variables
    sys.argv = ["harness", *map(str, args)]
    try:
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
    finally:
        for name in set(os.environ) - set(saved[0]):
            del os.environ[name]
        os.environ |= saved[0]
        sys.argv = saved[1]
    out.flush()
    code = ended.value.code or 0
    return subprocess.CompletedProcess(args, code, out.buffer.getvalue().decode(), err.getvalue())


def started(*args, base_url=None):
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(base_url),
    )


def wait_until(found, process=None):
    """Until something is there, or the command has ended."""
    until = time.monotonic() + WAIT_S
    while not found():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def spooled(store, name):
    """How many durable events of that name the store's spools hold."""
    folder = StorePaths(store).spool_dir
    files = [*folder.glob("*.jsonl")] if folder.exists() else []
    return sum(path.read_bytes().count(f'"name":"{name}"'.encode()) for path in files)


def recorded(store):
    """The last run with its requests and calls."""
    with open_store(store).snapshot() as view:
        run = view.run()
        return run, view.requests(run.run_id), view.calls(run.run_id)


def billed(rows):
    """What the emulator's account comes to; `rows` are its ledger's, as objects or as dicts."""
    costs = [row["cost_usd"] if isinstance(row, dict) else row.cost_usd for row in rows]
    return sum((Decimal(str(cost)) for cost in costs if cost is not None), Decimal(0))


def document_of(done):
    assert done.returncode == 0, done.stderr
    return load_json_exact(done.stdout)


class _Losing:
    """Carries connections to an upstream, and loses the first answer to a POST of one path."""

    def __init__(self, url, path):
        self.target, self.mark, self.lost = urlsplit(url), f"POST {path} ".encode(), False

    async def carry(self, reader, writer):
        upstream, upstream_writer = await asyncio.open_connection(self.target.hostname, self.target.port)
        losing = asyncio.Event()
        sending = asyncio.create_task(self._forward(reader, upstream_writer, losing))
        with suppress(ConnectionError, asyncio.CancelledError):
            while (data := await upstream.read(65536)) and not losing.is_set():
                writer.write(data)
                await writer.drain()
        sending.cancel()
        writer.close()
        upstream_writer.close()

    async def _forward(self, reader, writer, losing):
        with suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(65536):
                if data.startswith(self.mark) and not self.lost:
                    self.lost = True
                    losing.set()
                writer.write(data)
                await writer.drain()


@contextmanager
def proxy_losing(url, path):
    """A proxy to `url` that carries every request, but loses the first answer to a POST of that path."""
    started_at = asyncio.new_event_loop()
    ready, stop, port = threading.Event(), asyncio.Event(), []

    async def serve():
        server = await asyncio.start_server(_Losing(url, path).carry, "127.0.0.1", 0)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        server.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=lambda: started_at.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"http://127.0.0.1:{port[0]}"
    finally:
        started_at.call_soon_threadsafe(stop.set)
        thread.join(10)
