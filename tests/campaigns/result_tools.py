"""The tools whose result files are imported: how each is installed, and one small run of it against an emulator."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

NODE = "node@24"
KEYS = {"OPENAI_API_KEY": "made-up", "ANTHROPIC_API_KEY": "made-up"}
LONG = "Say something about milk. " + "The herd grazes on the hill above the village. " * 120
"""Long enough for a prompt cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool.

    Attributes:
        packages: pinned, of PyPI, or of npm where `npm` is set.
        run: given its folder of programs, an empty folder and the emulator's address, writes its files there.
        files: what is kept of them, one import each.
        faults: of the emulator while it runs.
    """

    name: str
    packages: tuple[str, ...]
    run: Callable[[Path, Path, str], None]
    files: tuple[str, ...]
    faults: tuple[dict[str, Any], ...] = ()
    npm: bool = False

    def programs(self, home: Path) -> Path:
        """Where the tool's programs are; installed there when they are not yet."""
        place = home / self.name
        programs = place / ("node_modules/.bin" if self.npm else "bin")
        if (place / ".installed").exists():
            return programs
        place.mkdir(parents=True, exist_ok=True)
        if self.npm:
            (place / "package.json").write_text("{}")
            # the tools want a newer Node than many machines have; their optional native parts are not needed
            _run(["npm", "install", "--no-audit", "--no-fund", NODE], place)
            with_node = {"PATH": f"{programs}:{os.environ['PATH']}"}
            _run(
                ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *self.packages],
                place,
                with_node,
            )
        else:
            _run([sys.executable, "-m", "venv", str(place)], place)
            _run([str(programs / "python"), "-m", "pip", "install", "--quiet", *self.packages], place)
        (place / ".installed").touch()
        return programs


def _run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=1800,
    )
    (folder / "run.log").write_text(done.stdout)


def _promptfoo(programs: Path, folder: Path, url: str) -> None:
    openai = {"apiBaseUrl": f"{url}/v1", "apiKey": "made-up", "maxRetries": 0}
    config = {
        "prompts": ["Say something about {{topic}}"],
        "providers": [
            {"id": "openai:chat:gpt-4o-mini", "config": openai},
            {"id": "openai:chat:gpt-4o-2024-08-06", "label": "strong", "config": openai},
            {
                "id": "anthropic:messages:claude-3-haiku-20240307",
                "config": {"apiBaseUrl": url, "apiKey": "made-up", "max_tokens": 200},
            },
            {"id": "openai:chat:mistral-large-latest", "config": openai},
        ],
        "tests": [
            {"vars": {"topic": "tea"}, "assert": [{"type": "contains", "value": "e"}]},
            {"vars": {"topic": "coffee"}, "assert": [{"type": "contains", "value": "nothing-like-it"}]},
            {"vars": {"topic": "cocoa"}},
        ],
    }
    (folder / "promptfooconfig.json").write_text(json.dumps(config))
    quiet = {
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_CONFIG_DIR": "home",
    }
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    for output in ("first.json", "again.json"):
        command = [
            str(programs / "promptfoo"),
            "eval",
            "-c",
            "promptfooconfig.json",
            "--repeat",
            "2",
            "-j",
            "2",
            "-o",
            output,
        ]
        _run(command, folder, {**KEYS, **quiet, **path})


_INSPECT_TASKS = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, solver

LONG = {long!r}

@solver
def breaks():
    async def solve(state, generate):
        if "cocoa" in state.input_text:
            raise RuntimeError("made-up fault")
        return state
    return solve

def samples(*inputs):
    return [Sample(id=name, input=text, target=target) for name, text, target in inputs]

@task
def teas():
    inputs = (("tea", "Say something about tea", "e"), ("coffee", "Say something about coffee", "nothing-like-it"), ("milk", LONG, "e"))
    return Task(dataset=samples(*inputs), solver=generate(), scorer=includes(), epochs=2)

@task
def faulty():
    inputs = (("tea", "Say something about tea", "e"), ("cocoa", "Say something about cocoa", "e"))
    return Task(dataset=samples(*inputs), solver=[breaks(), generate()], scorer=includes(), epochs=2, fail_on_error=False)
"""


def _inspect(programs: Path, folder: Path, url: str) -> None:
    (folder / "tasks.py").write_text(_INSPECT_TASKS.format(long=LONG))
    env = {**KEYS, "OPENAI_BASE_URL": f"{url}/v1", "ANTHROPIC_BASE_URL": url}
    runs = (
        ("teas", "openai/gpt-4o-mini", "eval", "teas.eval"),
        ("faulty", "anthropic/claude-3-haiku-20240307", "json", "faulty.json"),
    )
    for task, model, kind, name in runs:
        common = ["--display", "plain", "--log-dir", "logs", "--log-format", kind, "--max-connections", "1"]
        _run([str(programs / "inspect"), "eval", f"tasks.py@{task}", "--model", model, *common], folder, env)
        (written,) = (folder / "logs").glob(f"*_{task}_*.{kind}")
        written.rename(folder / name)


def _locust(programs: Path, folder: Path, url: str) -> None:
    del programs  # the harness brings Locust along
    (folder / "locustfile.py").write_text(
        """
from locust import FastHttpUser, constant, task

class User(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def chat(self):
        question = {"role": "user", "content": "Say something about tea"}
        self.client.post("/v1/chat/completions", json={"model": "gpt-4o-mini", "messages": [question]}, headers={"Authorization": "Bearer made-up"})
"""
    )
    locust = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        "locustfile.py",
        "--headless",
        "-u",
        "4",
        "-r",
        "4",
        "-t",
        "5s",
    ]
    _run([*locust, "-H", url, "--csv", "tea", "--json-file", "tea"], folder)


def _artillery(programs: Path, folder: Path, url: str) -> None:
    question = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say something about tea"}]}
    post = {"url": "/v1/chat/completions", "headers": {"authorization": "Bearer made-up"}, "json": question}
    config = {
        "config": {"target": url, "http": {"timeout": 1}, "phases": [{"duration": 8, "arrivalRate": 10}]},
        "scenarios": [{"flow": [{"post": post}]}],
    }
    (folder / "artillery.json").write_text(json.dumps(config))
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "ARTILLERY_DISABLE_TELEMETRY": "true"}
    _run([str(programs / "artillery"), "run", "-o", "report.json", "artillery.json"], folder, env)


def _guidellm(programs: Path, folder: Path, url: str) -> None:
    _prompts(folder, "prompt")
    with _without_unknown_fields(url) as relay:
        backend = {
            "kind": "openai_http",
            "target": relay,
            "model": "gpt-4o-mini",
            "api_key": "made-up",
            "validate_backend": False,
        }
        command = [
            str(programs / "guidellm"),
            "run",
            "--backend",
            json.dumps(backend),
            "--disable-console-interactive",
        ]
        command += ["--profile", "kind=constant,rate=8", "--constraint", "kind=max_requests,count=20"]
        command += ["--data", "kind=json_file,path=prompts.jsonl", "--output", "kind=json,path=guidellm.json"]
        _run(command, folder, {**KEYS, **_OFFLINE})


def _aiperf(programs: Path, folder: Path, url: str) -> None:
    _prompts(folder, "text")
    _tokenizer(programs, folder)
    command = [
        str(programs / "aiperf"),
        "profile",
        "-m",
        "gpt-4o-mini",
        "--url",
        url,
        "--endpoint-type",
        "chat",
        "--streaming",
    ]
    command += [
        "--input-file",
        "prompts.jsonl",
        "--custom-dataset-type",
        "single_turn",
        "--request-count",
        "20",
    ]
    command += [
        "--request-rate",
        "8",
        "--tokenizer",
        "made/up",
        "--output-artifact-dir",
        ".",
        "--export-level",
        "records",
    ]
    _run(
        [*command, "--ui-type", "none", "--api-key", "made-up"],
        folder,
        {**KEYS, **_OFFLINE, "HF_HOME": str(folder / "hf")},
    )


_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}


def _prompts(folder: Path, key: str) -> None:
    lines = (json.dumps({key: f"Say something about tea number {n}"}) for n in range(20))
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n")


def _tokenizer(programs: Path, folder: Path) -> None:
    """A tokenizer of a few words, as the cache of a hub would hold it: the tool will not start without one."""
    revision = "0" * 40
    home = folder / "hf/hub/models--made--up"
    snapshot = home / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs/main").write_text(revision)
    (snapshot / "config.json").write_text('{"model_type": "gpt2"}')
    made = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
words.train_from_iterator(["say something about tea"], trainers.WordLevelTrainer(special_tokens=["[UNK]", "</s>"]))
PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", eos_token="</s>").save_pretrained(sys.argv[1])
"""
    _run([str(programs / "python"), "-c", made, str(snapshot)], folder)


@contextmanager
def _without_unknown_fields(url: str) -> Iterator[str]:
    """A relay that leaves out the field that guidellm sends and no OpenAI endpoint knows."""

    async def relay(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        body.get("stream_options", {}).pop("continuous_usage_stats", None)
        headers = {"authorization": "Bearer made-up"}
        async with (
            ClientSession() as session,
            session.post(url + request.path, json=body, headers=headers) as got,
        ):
            answer = web.StreamResponse(
                status=got.status, headers={"content-type": got.headers["content-type"]}
            )
            await answer.prepare(request)
            async for piece in got.content.iter_any():
                await answer.write(piece)
            await answer.write_eof()
            return answer

    ready: threading.Event = threading.Event()
    ports: list[int] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", relay)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()

    def work() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


_BUSY = ({"kind": "503", "rate": 0.15},)
TOOLS = (
    Tool(
        name="promptfoo",
        packages=("promptfoo@0.123.1",),
        npm=True,
        run=_promptfoo,
        files=("first.json", "again.json"),
        faults=({"kind": "500", "rate": 0.3, "model": "gpt-4o-2024*"},),
    ),
    Tool(
        name="inspect",
        packages=("inspect-ai==0.3.285", "openai", "anthropic"),
        run=_inspect,
        files=("teas.eval", "faulty.json"),
    ),
    Tool(name="locust", packages=(), run=_locust, files=("tea_stats.csv", "tea.json"), faults=_BUSY),
    Tool(
        name="artillery",
        packages=("artillery@2.0.34",),
        npm=True,
        run=_artillery,
        files=("report.json",),
        faults=({"kind": "slow_first_byte", "rate": 0.2, "delay_ms": 2500}, {"kind": "503", "rate": 0.1}),
    ),
    Tool(
        name="guidellm", packages=("guidellm==0.8.1",), run=_guidellm, files=("guidellm.json",), faults=_BUSY
    ),
    Tool(
        name="aiperf",
        packages=("aiperf==0.13.0",),
        run=_aiperf,
        files=("profile_export.jsonl", "profile_export_aiperf.json", "profile_export_aiperf.csv"),
        faults=_BUSY,
    ),
)
