"""Both adapters against a provider mock that others wrote in another language (`@copilotkit/aimock`, npm).

Installs the pinned package into a temporary folder, serves it on loopback, and asks through the whole chain: create,
stream, structured output, usage, a 429 and then success with the exact number of attempts, a cut answer.

Run: python -m tests.campaigns.campaign_aimock   (needs node and npm)
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from harness.orchestration.retry import RetryPolicy
from harness.providers import ProviderSettings
from harness.records import Prompt, Role
from tests.campaigns.asking import Asked, ask_through

PACKAGE = "@copilotkit/aimock@1.43.0"
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}
LISBON = {"city": "Lisbon", "people": 545_000}
USAGE = {"prompt_tokens": 31, "completion_tokens": 17, "total_tokens": 48}
MODELS = {"anthropic": "claude-haiku-4-5", "openai": "gpt-4o-mini"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question and what must come back.

    Attributes:
        question: matched by the mock's fixture.
        reply: the mock's replies, in order of asking.
        kinds: outcome of every attempt.
        text: the answer; None when there must be none.
    """

    name: str
    question: str
    replies: tuple[dict[str, Any], ...]
    kinds: tuple[str, ...] = ("ok",)
    text: str | None = None
    schema: dict[str, Any] | None = None
    model: str | None = None
    only: str | None = None
    stream: bool | None = None


LIMITED = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429, "retryAfter": 1}
CHECKS = (
    Check(
        name="create", question="say hello", replies=({"content": "Hello.", "usage": USAGE},), text="Hello."
    ),
    Check(
        name="structured output",
        question="city by schema",
        replies=({"content": json.dumps(LISBON), "usage": USAGE},),
        text=json.dumps(LISBON),
        schema=CITY,
    ),
    Check(
        name="structured output by tool",
        question="city by tool",
        replies=({"toolCalls": [{"name": "city", "arguments": LISBON}], "usage": USAGE},),
        text=json.dumps(LISBON),
        schema=CITY,
        model="claude-3-5-sonnet-20241022",
        only="anthropic",
    ),
    Check(
        name="429, then success",
        question="wait then answer",
        replies=(LIMITED, {"content": "Now.", "usage": USAGE}),
        kinds=("rate_limited", "ok"),
        text="Now.",
    ),
    Check(
        name="429 without end",
        question="wait for ever",
        replies=(LIMITED, LIMITED, LIMITED),
        kinds=("rate_limited",) * 3,
    ),
    Check(
        name="cut off at the limit",
        question="too long",
        replies=({"content": "Half an ans", "finishReason": "length", "usage": USAGE},),
        kinds=("truncated",),
    ),
    Check(
        name="cut stream, then success",
        question="break then answer",
        replies=(
            {"content": "Some words that never end, because the line goes dead."},
            {"content": "Whole.", "usage": USAGE},
        ),
        kinds=("connection", "ok"),
        text="Whole.",
        stream=True,
    ),
)


def fixtures() -> dict[str, Any]:
    """The mock's script: one entry a reply, told apart by adapter, mode and turn."""
    entries = []
    for check in CHECKS:
        for kind in ("anthropic", "openai"):
            for stream in (True, False):
                for turn, reply in enumerate(check.replies):
                    entry = {
                        "match": {"userMessage": _asked(check, kind, stream=stream), "sequenceIndex": turn},
                        "response": reply,
                    }
                    if check.name.startswith("cut stream") and turn == 0:
                        entry |= {"truncateAfterChunks": 2, "chunkSize": 5}
                    entries.append(entry)
    return {"fixtures": entries}


def _asked(check: Check, kind: str, *, stream: bool) -> str:
    return f"{check.question} ({kind}, {'stream' if stream else 'whole'})"


@contextmanager
def mock_server(folder: Path) -> Iterator[str]:
    """The mock, installed and served on a port of the system's choice; its base URL."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise SystemExit("this campaign needs node and npm on the path")
    install = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", PACKAGE]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    script = folder / "script.json"
    script.write_text(json.dumps(fixtures()), "utf-8")
    cli = folder / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
    command = [node, str(cli), "-p", "0", "-f", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _address(process: subprocess.Popen[str]) -> str:
    said = []
    for line in process.stdout or ():
        said.append(line)
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", line)
        if found:
            return found.group(1)
    raise SystemExit("the mock did not start: " + "".join(said)[-500:])


async def put(check: Check, kind: str, url: str, *, stream: bool) -> Asked:
    """One check's question to one adapter."""
    settings = ProviderSettings(
        name=kind,
        kind=kind,
        base_url=url if kind == "anthropic" else f"{url}/v1",
        api_key="sk-ant-mock-0000",
        stream=stream,
    )
    prompt = Prompt(
        role=Role.DRAFT,
        system="Answer.",
        user=_asked(check, kind, stream=stream),
        output_schema=check.schema,
        schema_name="city",
    )
    return await ask_through(settings, check.model or MODELS[kind], prompt, policy=RetryPolicy(base_ms=20))


async def seen_by_mock(url: str, asked: str) -> int:
    """How many requests the mock's own journal holds for a question."""
    async with httpx2.AsyncClient() as client:
        journal = (await client.get(f"{url}/__aimock/journal", params={"limit": 1000})).json()
    entries = journal if isinstance(journal, list) else journal.get("entries", journal.get("requests", []))
    return sum(asked in json.dumps(entry) for entry in entries)


def problems_of(check: Check, asked: Asked, journal: int, *, stream: bool) -> list[str]:
    """Every difference from what must come back."""
    answer = asked.completion
    problems = [] if tuple(asked.kinds) == check.kinds else [f"attempts {asked.kinds}"]
    if journal != len(check.kinds):
        problems.append(f"the mock's journal holds {journal} requests")
    text = None if answer is None else answer.text
    same = text == check.text if check.schema is None or text is None else json.loads(text) == LISBON
    if not same:
        problems.append(f"answer {text!r}")
    if answer is not None:
        told = answer.usage and (answer.usage.input_tokens, answer.usage.output_tokens)
        if told != (31, 17):
            problems.append(f"usage {told}")
        if (answer.ttft_ns is not None) is not stream:
            problems.append("time to first token")
    waits = [call.retry_after_ms for call in asked.calls if call.error_kind == "rate_limited"]
    return problems if set(waits) <= {1000.0} else [*problems, f"retry-after {waits}"]


async def run_checks(url: str) -> list[tuple[str, str, str, str, list[str]]]:
    """Every check at each adapter, streamed and whole: name, adapter, mode, outcomes, problems."""
    rows = []
    for check in CHECKS:
        for kind in ("anthropic", "openai"):
            for stream in (True, False):
                if check.only not in (None, kind) or check.stream not in (None, stream):
                    continue
                asked = await put(check, kind, url, stream=stream)
                journal = await seen_by_mock(url, _asked(check, kind, stream=stream))
                kinds = " > ".join(asked.kinds)
                found = problems_of(check, asked, journal, stream=stream)
                rows.append((check.name, kind, "stream" if stream else "whole", kinds, found))
    return rows


def main() -> int:
    """Print the table; exit 1 when a row does not hold."""
    with tempfile.TemporaryDirectory() as folder, mock_server(Path(folder)) as url:
        rows = asyncio.run(run_checks(url))
    print(f"# Adapters against `{PACKAGE}`\n")
    print(
        "A mock that we did not write, unmodified, over HTTP. Each row went through budget, adapter, retry policy and "
        "price book; the number of attempts is also read from the mock's own journal.\n"
    )
    print("| check | adapter | answer | attempts | holds |\n|---|---|---|---|---|")
    for name, kind, mode, kinds, found in rows:
        print(f"| {name} | {kind} | {mode} | {kinds} | {'; '.join(found) or 'yes'} |")
    return 1 if any(found for *_, found in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
