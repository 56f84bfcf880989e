"""Bad inputs by the thousand: what a client, an upstream, a log, a URL or a variable can hold."""

import gzip
import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from harness.addresses import joined, request_target, shown
from harness.errors import HarnessError
from harness.orchestration import resolve_routing
from harness.proxies import proxy_for
from harness.service.connection import ConnectionLimits
from harness.store.log_file import log_lines, whole_lines
from harness.store.log_text import plain_text
from tests.orchestration.scripted import GOOD
from tests.service.test_draining import DRAFT, Running, served
from tests.store.test_log_shapes import SHAPES, text

CANARY = "sk-ant-canary-0123456789abcdef"
Verdicts = Counter[str]
BODY = b'{"brief":"Should we hire two engineers or outsource?"}'


def mutated(rng: random.Random, seed: bytes) -> bytes:
    """A few bytes flipped, cut, repeated or put in."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0 if at < len(data):
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 30)]
            case 2:
                data[at:at] = data[: rng.randint(1, 60)]
            case 3:
                data[at:at] = rng.choice(
                    [b"\x00", b"\xff\xfe", b"\r\n\r\n", b'"', b"{" * 500, b"[" * 500, b"1e999"]
                )
            case _:
                data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 12)))
    return bytes(data)


def service(count: int, rng: random.Random, found: list[str]) -> Verdicts:
    """Raw bytes to a running service: every answer is ours, none a 500, and it goes on serving."""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nX-Request-Id: r1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
    verdicts: Verdicts = Counter()
    limits = ConnectionLimits(head_timeout_s=0.2, max_connections=200)
    with (
        served({"LLM_PROVIDER": "fixtures"}, limits=limits, body_timeout_s=0.2) as running,
        ThreadPoolExecutor(8) as pool,
    ):
        inputs = []
        for number in range(count):
            seed = head % (DRAFT.encode(), len(BODY), BODY)
            if number % 2:
                body = mutated(rng, BODY)
                sent = head % (DRAFT.encode(), len(body), body)
            else:
                sent = mutated(rng, seed)
            inputs.append(sent)
        for sent, answer in zip(inputs, pool.map(lambda sent: _exchange(running, sent), inputs), strict=True):
            status = answer.split(b" ", 2)[1:2]
            if answer and not (answer.startswith(b"HTTP/1.1 ") and status and status[0][:1] in b"1 2 4"):
                found.append(f"service: {sent[:200]!r} -> {answer[:200]!r}")
            verdicts["answered" if answer[9:12] == b"200" else "refused" if answer else "closed"] += 1
        if httpx2.get(running.url + "/healthz").status_code != 200:
            found.append("service: not healthy after it")
    return verdicts


def _exchange(running: Running, sent: bytes) -> bytes:
    with socket.create_connection(
        ("127.0.0.1", int(running.url.rpartition(":")[2])), timeout=15
    ) as connection:
        try:
            connection.sendall(sent)
            parts = []
            while part := connection.recv(65_536):
                parts.append(part)
        except OSError:
            return b""
    return b"".join(parts)


def upstream(count: int, rng: random.Random, found: list[str]) -> Verdicts:
    """Broken answers of a provider: the client gets an answer or `error.v1`, never a 500, never a quote of it."""
    verdicts: Verdicts = Counter()
    good = _recorded_answer()
    with _replaying() as provider:
        env = {
            "LLM_PROVIDER": "openai",
            "LLM_MODEL": "gpt-4o-mini",
            "OPENAI_API_KEY": CANARY,
            "OPENAI_BASE_URL": provider.url,
        }
        with (
            served(env, deadline_s=6, attempt_timeout_s=2) as running,
            httpx2.Client(base_url=running.url, timeout=30) as client,
        ):
            for _ in range(count):
                provider.answer = mutated(rng, good)
                answer = client.post(DRAFT, content=BODY)
                verdicts["answered" if answer.status_code == 200 else "refused"] += 1
                if answer.status_code == 500 or CANARY in answer.text:
                    found.append(
                        f"upstream: {provider.answer[:300]!r} -> {answer.status_code} {answer.text[:200]}"
                    )
    return verdicts


def _recorded_answer() -> bytes:
    chunks = [
        {
            "id": "c",
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": GOOD}}],
        },
        {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {
            "id": "c",
            "choices": [],
            "usage": {"prompt_tokens": 900, "completion_tokens": 500, "total_tokens": 1400},
        },
    ]
    events = (
        b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    )
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Harness-Emulated: 1\r\nConnection: close\r\n\r\n"
    return head + events


class _Provider:
    """Answers every request with the same bytes, whatever they are."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    asked = b""
                    while b"\r\n\r\n" not in asked:
                        asked += connection.recv(65_536)
                    head, _, body = asked.partition(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                    while len(body) < length:
                        body += connection.recv(65_536)
                    connection.sendall(self.answer)
                except OSError:
                    continue

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def _replaying() -> Iterator[_Provider]:
    provider = _Provider()
    threading.Thread(target=provider.run, daemon=True).start()
    try:
        yield provider
    finally:
        provider.close()


def logs(count: int, rng: random.Random, found: list[str], folder: Path) -> Verdicts:
    """Damaged logs in many wrappings: each line is an event, bad or about something else, or the file is refused."""
    verdicts: Verdicts = Counter()
    shapes = list(SHAPES.values())
    for number in range(count):
        written = shapes[number % len(shapes)]([text(n) for n in range(6)])
        content = mutated(rng, written if isinstance(written, bytes) else written.encode())
        path = folder / "log"
        path.write_bytes(gzip.compress(content) if number % 7 == 0 else content)
        try:
            with plain_text(path, path) as plain:
                data = whole_lines(plain.read_bytes(), at_end=True)
                lines = list(log_lines(data, 0))
        except HarnessError as error:
            verdicts["refused"] += 1
            if "\n" in str(error):
                found.append(f"logs: {error}")
        except Exception as error:  # noqa: BLE001 - a crash is what is looked for
            found.append(f"logs: {type(error).__name__}: {error}: {content[:200]!r}")
        else:
            verdicts["read"] += 1
            if any(line.event is not None and line.problem is not None for line in lines):
                found.append(f"logs: both good and bad: {lines}")
    return verdicts


def _told(found: list[str], verdicts: Verdicts, what: str, value: object, act: Callable[[], Any]) -> None:
    try:
        act()
    except HarnessError as error:
        verdicts["refused"] += 1
        if "\n" in str(error) or CANARY in str(error):
            found.append(f"{what}: {value!r} -> {error}")
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        found.append(f"{what}: {value!r} -> {type(error).__name__}: {error}")
    else:
        verdicts["accepted"] += 1


def urls(count: int, rng: random.Random, found: list[str]) -> Verdicts:
    """Base URLs and proxies: used or refused in one sentence, and no secret of them is ever shown."""
    verdicts: Verdicts = Counter()
    seeds = [
        f"https://host.example:8443/openai/deployments/d?api-version=1&token={CANARY}",
        "http://[::1]:11434/v1/",
        "socks5://user:pw@proxy:1080",
    ]
    for number in range(count):
        value = mutated(rng, seeds[number % 3].encode()).decode("latin-1").replace("\x00", "")

        def act(value: str = value) -> None:
            routing = resolve_routing(
                {"LLM_PROVIDER": "openai", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": value}
            )
            assert CANARY not in str(routing.settings) or CANARY in value.partition("?")[0]
            request_target(joined(value, "/x"), "/y")
            shown(value)

        _told(found, verdicts, "urls", value, act)
        _told(
            found,
            verdicts,
            "proxies",
            value,
            lambda value=value: proxy_for("https://api.example.com", {"ALL_PROXY": value, "NO_PROXY": value}),
        )
    return verdicts


def environment(count: int, rng: random.Random, found: list[str]) -> Verdicts:
    """Variables: resolved or refused in one sentence."""
    verdicts: Verdicts = Counter()
    good = {
        "LLM_PROVIDER": "anthropic", "LLM_MODEL": "auto", "COST_MAX_USD": "0.5", "HARNESS_ENV": "Production",
        "ANTHROPIC_API_KEY": CANARY, "LLM_STRATEGY": "hybrid", "PERF_RPS": "1", "DD_AGENT_PORT": "8125",
    }  # fmt: skip
    for _ in range(count):
        name = rng.choice(list(good))
        value = mutated(rng, good[name].encode()).decode("latin-1").replace("\x00", "")
        _told(
            found,
            verdicts,
            f"environment {name}",
            value,
            lambda env={**good, name: value}: resolve_routing(env),
        )
    return verdicts
