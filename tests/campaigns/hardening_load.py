"""Services under load, as processes: a rolling restart behind a small proxy, many clients, upstream faults."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

FAULTS = (
    "rate_limited",
    "overloaded",
    "server_error",
    "slow_first_byte",
    "cut",
    "malformed_json",
    "empty",
    "reset",
)
ONE_PERCENT = (
    "["
    + ",".join(f'{{"kind":"{kind}","rate":0.01,"retry_after_ms":20,"delay_ms":300}}' for kind in FAULTS)
    + "]"
)
PATH = "/assist/draft-graph"


@dataclass
class Process:
    """A harness process with a port."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def cpu_s(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(90)


def start(root: Path, folder: Path, name: str, *arguments: str, env: dict[str, str] | None = None) -> Process:
    """A command of the harness that stands at `root`."""
    port_file, log = folder / f"{name}.port", folder / f"{name}.log"
    port_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *arguments, "--port-file", str(port_file)],
            cwd=folder, stdout=output, stderr=output, env={**os.environ, **(env or {}), "PYTHONPATH": str(root)},
        )  # fmt: skip
    deadline = time.monotonic() + 90
    while not port_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not start: {log.read_text()[-500:]}")
        time.sleep(0.05)
    return Process(process, int(port_file.read_text()), log)


@contextmanager
def pair(
    root: Path, here: Path, emulator: list[str], *options: str
) -> Iterator[tuple[Process, Process, Path]]:
    """This tree's emulator, and the service of `root` before it."""
    with tempfile.TemporaryDirectory(prefix="harness-hardening-") as name:
        folder = Path(name)
        upstream = start(
            here, folder, "emulator", "emulate", "--port", "0", "--ledger", str(folder / "ledger"), *emulator
        )
        service = start(
            root, folder, "service", "serve", "--port", "0", "--store", str(folder / "store"), *options,
            env=environment(upstream.port),
        )  # fmt: skip
        try:
            yield service, upstream, folder
        finally:
            for process in (service, upstream):
                if process.process.poll() is None:
                    process.stop()


def environment(port: int) -> dict[str, str]:
    return {
        "ANTHROPIC_API_KEY": "sk-ant-x", "OPENAI_API_KEY": "sk-x", "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "LLM_PROVIDER": "anthropic",
        "LLM_MODEL": "claude-3-5-sonnet-20241022", "COST_MAX_USD": "5",
    }  # fmt: skip


async def burst(port: int, count: int, clients: int) -> Counter[int]:
    """Requests of many clients at once; the statuses, 0 for none."""
    statuses: Counter[int] = Counter()
    gate = asyncio.Semaphore(clients)
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=120)
    ) as session:

        async def one(number: int) -> None:
            async with gate:
                body = {"brief": f"Should we hire {number} engineers or outsource to grow by 20%?"}
                try:
                    async with session.post(f"http://127.0.0.1:{port}{PATH}", json=body) as answer:
                        await answer.read()
                        statuses[answer.status] += 1
                except aiohttp.ClientError:
                    statuses[0] += 1

        await asyncio.gather(*(one(number) for number in range(count)))
    return statuses


class Proxy:
    """A small proxy: tries the next instance on a refused connection or on a 503 of one that drains."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self._turn = 0

    async def ask(self, session: aiohttp.ClientSession, body: dict[str, str]) -> int:
        """The status of the first instance that takes the request; 0 when the connection broke after it was sent."""
        self._turn += 1
        first, status = self._turn, 0
        for attempt in range(2 * len(self.ports)):  # ports may change meanwhile: an instance came back
            port = self.ports[(first + attempt) % len(self.ports)]
            try:
                async with session.post(f"http://127.0.0.1:{port}{PATH}", json=body) as answer:
                    status = answer.status
                    text = await answer.text()
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError):
                return 0  # it was sent: asking again could pay twice
            if status != 503 or '"draining"' not in text:
                return status
        return status


async def rolling_restart(root: Path, here: Path, *, rps: int, seconds: int) -> tuple[Counter[int], int]:
    """Two instances, each ended by SIGTERM and started anew under a constant rate.

    Returns:
        Statuses as the proxy's clients saw them (0: none), and how many restarts there were.
    """
    with tempfile.TemporaryDirectory(prefix="harness-rolling-") as name:
        folder = Path(name)
        upstream = start(here, folder, "emulator", "emulate", "--port", "0", "--speed", "4")
        env = environment(upstream.port)

        def instance(number: int) -> Process:
            store = str(folder / f"store-{number}")
            return start(root, folder, f"service-{number}", "serve", "--port", "0", "--store", store, env=env)

        instances = [instance(0), instance(1)]
        proxy = Proxy([one.port for one in instances])
        statuses: Counter[int] = Counter()
        restarts = 0
        try:
            timeout = aiohttp.ClientTimeout(total=60)
            async with aiohttp.ClientSession(
                timeout=timeout, connector=aiohttp.TCPConnector(limit=0)
            ) as session:

                async def one(number: int) -> None:
                    statuses[await proxy.ask(session, {"brief": f"Hire {number} people or outsource?"})] += 1

                async def load() -> None:
                    began, asked = time.monotonic(), []
                    for number in range(rps * seconds):
                        await asyncio.sleep(max(0.0, began + number / rps - time.monotonic()))
                        asked.append(asyncio.create_task(one(number)))
                    await asyncio.gather(*asked)

                loading = asyncio.create_task(load())
                await asyncio.sleep(2)
                for turn in range(2):
                    await asyncio.to_thread(instances[turn].stop)
                    instances[turn] = await asyncio.to_thread(instance, turn)
                    proxy.ports[turn] = instances[turn].port
                    restarts += 1
                await loading
        finally:
            for process in (*instances, upstream):
                if process.process.poll() is None:
                    await asyncio.to_thread(process.stop)
    return statuses, restarts
