"""A service over real HTTP, in a thread of the test's own process."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import uvicorn

from harness.emulator import RunningEmulator
from harness.orchestration import Strategy, resolve_routing, resolve_strategy
from harness.service import ServiceSettings, create_app
from harness.store import open_store

FIXTURES_ENV = {"LLM_PROVIDER": "fixtures"}


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The base URL of an application while it runs; leaving the block runs its shutdown."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def service(
    env: dict[str, str] | None = None,
    *,
    store_dir: Path | None = None,
    strategy: Strategy | None = None,
    **settings: Any,
) -> Iterator[httpx2.Client]:
    """A client of a running service; fixtures answer unless told otherwise."""
    routing = resolve_routing(env or FIXTURES_ENV)
    app = create_app(
        ServiceSettings(
            routing=routing, strategy=strategy or resolve_strategy(routing), store_dir=store_dir, **settings
        )
    )
    with serving(app) as url, httpx2.Client(base_url=url, timeout=20) as client:
        yield client


def emulated_env(emulator: RunningEmulator, key: str = "emulated-key") -> dict[str, str]:
    """The environment that sends both SDKs to the emulator."""
    return {
        "ANTHROPIC_API_KEY": key,
        "OPENAI_API_KEY": key,
        "ANTHROPIC_BASE_URL": emulator.base_url,
        "OPENAI_BASE_URL": emulator.openai_base_url,
    }


def rows(store_dir: Path, sql: str) -> list[dict[str, Any]]:
    """A query on the store, live spools included."""
    with open_store(store_dir).snapshot() as view:
        return view.dicts(sql)


def sse(text: str) -> list[tuple[str, Any]]:
    """Server-sent events as (name, data)."""
    events = []
    for block in text.split("\n\n"):
        if block.strip():
            name, data = block.split("\n")
            events.append((name.removeprefix("event: "), orjson.loads(data.removeprefix("data: "))))
    return events
