"""Fault matrix: each fault, at each adapter, streamed and whole, once for a moment and once for good.

Every cell asks one question through the whole chain (budget, adapter, retry policy, price book, ledger) and is held
against what should happen and against the emulator's own ledger: the kinds and number of attempts, the wait the
provider asked for, the cost of every attempt, and the latency of its row.

Run: python -m tests.campaigns.campaign_faults
"""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from harness.emulator import EmulatorSettings, RunningEmulator, running_emulator
from harness.errors import BadOutputError
from harness.orchestration.retry import RetryPolicy
from harness.providers import ProviderSettings
from harness.records import Call, CallOutcome, Prompt, UnpricedReason
from harness.tasks.decisions.draft_graph.task import DraftGraphTask
from tests.campaigns.asking import Asked, ask_through

TASK = DraftGraphTask()
DEADLINE_S = 1.5
"""Of attempts that are to run into it."""
PATIENCE_S = 20.0
"""Of all others: a busy machine must not turn them into timeouts."""
SLOW_MS = 400.0
ASKED_WAIT_MS = 60.0
MAX_ATTEMPTS = 3
POLICY = RetryPolicy(max_attempts=MAX_ATTEMPTS, base_ms=20.0, cap_ms=50.0)
SETTINGS = EmulatorSettings(speed=60.0, defect_rate=0.0)

FREE, BILLED, UNKNOWN = "0", "billed", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the emulator does, and what must be seen of it.

    Attributes:
        ask: its name and parameters, as the emulator's header takes them.
        kind: the error kind of a struck attempt; `ok` when it must pass, `ok, unreadable` when only the task can
            tell.
        cost: of a struck attempt: 0, billed (equal to the emulator's ledger) or unknown.
        retried: the policy asks again.
        waits: the provider names a wait.
        at_least_ms: shortest latency of a struck attempt.
        only: `stream` or `whole` where the fault has no meaning in the other mode.
        at: the wires at which it is so; None for all.
    """

    name: str
    ask: str
    kind: str
    cost: str
    retried: bool = False
    waits: bool = False
    at_least_ms: float = 0.0
    only: str | None = None
    at: tuple[str, ...] | None = None

    @property
    def timeout_s(self) -> float:
        """How long an attempt may take, seconds."""
        return DEADLINE_S if self.at_least_ms >= DEADLINE_MS else PATIENCE_S


DEADLINE_MS = DEADLINE_S * 1000
FAULTS = (
    Fault(name="429", ask="rate_limited", kind="rate_limited", cost=FREE, retried=True, waits=True),
    Fault(name="529", ask="overloaded", kind="overloaded", cost=FREE, retried=True, waits=True),
    Fault(name="500", ask="server_error", kind="upstream_5xx", cost=FREE, retried=True),
    Fault(name="503", ask="unavailable", kind="upstream_5xx", cost=FREE, retried=True, waits=True),
    Fault(name="504", ask="gateway_timeout", kind="timeout", cost=UNKNOWN, retried=True),
    Fault(name="connection reset", ask="reset", kind="connection", cost=UNKNOWN, retried=True),
    Fault(
        name="slow first byte",
        ask=f"slow_first_byte;delay_ms={SLOW_MS:g}",
        kind="ok",
        cost=BILLED,
        at_least_ms=SLOW_MS,
    ),
    Fault(
        name="first byte after the deadline",
        ask="slow_first_byte;delay_ms=4000",
        kind="timeout",
        cost=UNKNOWN,
        retried=True,
        at_least_ms=DEADLINE_MS,
    ),
    Fault(
        name="stall in mid-answer",
        ask="stall;delay_ms=4000",
        kind="timeout",
        cost=UNKNOWN,
        retried=True,
        at_least_ms=DEADLINE_MS,
    ),
    Fault(name="cut in mid-answer", ask="cut", kind="connection", cost=UNKNOWN, retried=True),
    Fault(
        name="error event: overloaded",
        ask="stream_error",
        kind="overloaded",
        cost=UNKNOWN,
        retried=True,
        only="stream",
        at=("anthropic", "gemini"),
    ),
    Fault(
        name="error event: the server failed",
        ask="stream_error",
        kind="upstream_5xx",
        cost=UNKNOWN,
        retried=True,
        only="stream",
        at=("chat", "responses", "bedrock"),
    ),
    Fault(name="malformed body or event", ask="malformed_body", kind="bad_output", cost=UNKNOWN),
    Fault(name="answer is not JSON", ask="malformed_json", kind="ok, unreadable", cost=BILLED),
    Fault(name="answer of another schema", ask="wrong_schema", kind="ok, unreadable", cost=BILLED),
    Fault(name="empty answer", ask="empty", kind="bad_output", cost=BILLED),
    Fault(name="refusal", ask="refusal", kind="content_filter", cost=BILLED),
    Fault(name="content filter", ask="content_filter", kind="content_filter", cost=BILLED),
    Fault(name="cut off at max_tokens", ask="truncated", kind="truncated", cost=BILLED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One way to call: a name as configured, its wire and model; `charged_as` is who charges for it."""

    name: str
    kind: str
    model: str
    wire: str
    charged_as: str
    local: bool = False


ADAPTERS = (
    Adapter(
        name="anthropic", kind="anthropic", model="claude-haiku-4-5", wire="anthropic", charged_as="anthropic"
    ),
    Adapter(name="openai", kind="openai", model="gpt-4o-mini", wire="chat", charged_as="openai"),
    Adapter(
        name="compatible",
        kind="openai_compatible",
        model="gpt-4o-mini",
        wire="chat",
        charged_as="compatible",
        local=True,
    ),
    Adapter(name="responses", kind="openai", model="gpt-5-mini", wire="responses", charged_as="openai"),
    Adapter(name="gemini", kind="gemini", model="gemini-2.5-flash", wire="gemini", charged_as="gemini"),
    Adapter(
        name="bedrock",
        kind="bedrock",
        model="global.anthropic.claude-haiku-4-5-20251001-v1:0",
        wire="bedrock",
        charged_as="bedrock",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One place in the matrix. `lasting` faults strike every attempt, others the first one."""

    fault: Fault
    adapter: Adapter
    stream: bool
    lasting: bool

    @property
    def label(self) -> str:
        """For messages and test ids."""
        mode = "stream" if self.stream else "whole"
        return f"{self.fault.name}, {self.adapter.name}, {mode}, {'lasting' if self.lasting else 'once'}"

    @property
    def expected_kinds(self) -> list[str]:
        """The outcome of every attempt, in order."""
        if not self.fault.retried:
            return [self.fault.kind]
        return [self.fault.kind] * MAX_ATTEMPTS if self.lasting else [self.fault.kind, "ok"]


def cells() -> list[Cell]:
    """The whole matrix, in reading order."""
    return [
        Cell(fault=fault, adapter=adapter, stream=stream, lasting=lasting)
        for fault in FAULTS
        for adapter in ADAPTERS
        for stream in (True, False)
        for lasting in (False, True)
        if _has_meaning(fault, adapter, stream=stream, lasting=lasting)
    ]


def _has_meaning(fault: Fault, adapter: Adapter, *, stream: bool, lasting: bool) -> bool:
    if (fault.only == "stream" and not stream) or (fault.at is not None and adapter.wire not in fault.at):
        return False
    return fault.retried or not lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one cell showed.

    Attributes:
        problems: every difference from what should have happened; empty when the cell holds.
    """

    cell: Cell
    kinds: list[str]
    costs: list[str]
    latencies_ms: list[float]
    problems: list[str]


def settings_of(
    adapter: Adapter, emulator: RunningEmulator, *, stream: bool, headers: tuple[tuple[str, str], ...] = ()
) -> ProviderSettings:
    """The adapter, pointed at the emulator."""
    return ProviderSettings(
        name=adapter.charged_as,
        kind=adapter.kind,
        base_url=emulator.openai_base_url if adapter.kind.startswith("openai") else emulator.base_url,
        api_key="sk-ant-emulated-000",
        api="responses" if adapter.wire == "responses" else None,
        local=adapter.local,
        stream=stream,
        extra_headers=headers,
    )


def prompt_of(number: int) -> Prompt:
    """A question of its own for each cell: the emulator counts occurrences by body."""
    brief = f"Case {number}: choose between a price cut of 5% and a loyalty programme within 6 months."
    return TASK.draft_prompt(TASK.parse_input({"brief": brief}))


async def run_cell(cell: Cell, emulator: RunningEmulator, number: int) -> Asked:
    """Ask for one graph while the fault is in force."""
    parameters = "" if cell.lasting else ";first=1"
    wait = f";retry_after_ms={ASKED_WAIT_MS:g}" if cell.fault.waits else ";retry_after_ms=none"
    headers = (("X-Emulate-Fault", cell.fault.ask + parameters + wait),)
    return await ask_through(
        settings_of(cell.adapter, emulator, stream=cell.stream, headers=headers),
        cell.adapter.model,
        prompt_of(number),
        policy=POLICY,
        attempt_timeout_s=cell.fault.timeout_s,
        request_id=f"cell-{number}",
    )


def judged(cell: Cell, asked: Asked, emulator: RunningEmulator) -> Seen:
    """The cell held against what should happen and against the emulator's ledger."""
    calls, kinds = asked.calls, asked.kinds
    if asked.completion is not None and not _is_readable(asked.completion.text):
        kinds[-1] += ", unreadable"
    problems = []
    if kinds != cell.expected_kinds:
        problems.append(f"attempts {kinds}, expected {cell.expected_kinds}")
    if [call.attempt for call in calls] != list(range(1, len(calls) + 1)):
        problems.append("attempts are not numbered from 1")
    struck = [call for call, kind in zip(calls, kinds, strict=True) if kind == cell.fault.kind]
    for call in calls:
        problems += _cost_problems(cell, call, emulator, is_struck=call in struck)
    for call in struck:
        problems += _latency_problems(cell, call)
        if cell.fault.waits and call.retry_after_ms != ASKED_WAIT_MS:
            problems.append(f"retry-after read as {call.retry_after_ms}")
    settled = sum((_settled(call) for call in calls), Decimal(0))
    if asked.budget.committed_usd != settled:
        problems.append(f"the budget holds {asked.budget.committed_usd}, the calls {settled}")
    return Seen(
        cell=cell,
        kinds=kinds,
        costs=["unknown" if call.cost_usd is None else f"{call.cost_usd:f}" for call in calls],
        latencies_ms=[call.latency_ms for call in calls],
        problems=problems,
    )


def _is_readable(text: str) -> bool:
    try:
        TASK.parse(text)
    except BadOutputError:
        return False
    return True


def _settled(call: Call) -> Decimal:
    """What the budget must keep: the cost, or the reservation where the cost is unknown."""
    return (call.cost_reserved_usd or Decimal(0)) if call.cost_usd is None else call.cost_usd


def _cost_problems(cell: Cell, call: Call, emulator: RunningEmulator, *, is_struck: bool) -> list[str]:
    expected = cell.fault.cost if is_struck else BILLED
    entries = [e for e in emulator.app.engine.ledger.entries if e.call_id == call.call_id]
    if len(entries) != 1:
        return [f"the emulator saw call {call.attempt} {len(entries)} times"]
    if cell.adapter.local:
        return [] if call.cost_usd == 0 else [f"cost {call.cost_usd} at an endpoint declared free"]
    if expected == UNKNOWN:
        right = call.cost_usd is None and call.unpriced_reason is UnpricedReason.USAGE_UNKNOWN
        return [] if right else [f"cost {call.cost_usd} where it is unknown"]
    truth = Decimal(entries[0].cost_usd or 0) if expected == BILLED else Decimal(0)
    tokens = (call.input_tokens or 0, call.output_tokens or 0)
    told = (entries[0].input_tokens or 0, entries[0].output_tokens or 0)
    problems = [] if call.cost_usd == truth else [f"cost {call.cost_usd}, the ledger says {truth}"]
    return problems if tokens == told else [*problems, f"tokens {tokens}, the ledger says {told}"]


def _latency_problems(cell: Cell, call: Call) -> list[str]:
    problems = []
    if call.latency_ms < cell.fault.at_least_ms:
        problems.append(f"latency {call.latency_ms:.0f} ms, must be at least {cell.fault.at_least_ms:g}")
    if call.latency_ms > cell.fault.timeout_s * 1000 + 1000:
        problems.append(f"latency {call.latency_ms:.0f} ms, far beyond the deadline")
    streamed = call.outcome is CallOutcome.OK and cell.stream
    if streamed != (call.ttft_ms is not None) and call.outcome is CallOutcome.OK:
        problems.append("time to first token must be known exactly when streaming")
    return problems


def table(seen: Sequence[Seen]) -> str:
    """The matrix as Markdown."""
    lines = [
        "| fault | adapter | answer | strikes | attempts | outcomes | cost of each (USD) | latency of each (ms) | holds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in seen:
        cell = one.cell
        columns = (
            cell.fault.name,
            cell.adapter.name,
            "stream" if cell.stream else "whole",
            "always" if cell.lasting else "once",
            f"{len(one.kinds)} of {len(cell.expected_kinds)}",
            " > ".join(one.kinds),
            " > ".join(one.costs),
            " > ".join(f"{latency:.0f}" for latency in one.latencies_ms),
            "; ".join(one.problems) or "yes",
        )
        lines.append("| " + " | ".join(columns) + " |")
    return "\n".join(lines)


async def _settled_ledger(emulator: RunningEmulator) -> None:
    """Wait for the emulator's last lines: it writes one when a request ends, stalls included."""
    async with asyncio.timeout(30):
        while emulator.app.engine.ledger.in_flight:  # noqa: ASYNC110 - it runs in another thread
            await asyncio.sleep(0.05)


async def run_matrix(chosen: Sequence[Cell], *, at_once: int) -> list[Seen]:
    """The chosen cells, so many at once; fewer tell truer latencies."""
    gate = asyncio.Semaphore(at_once)
    with running_emulator(SETTINGS) as emulator:
        for adapter in ADAPTERS:  # once without a fault: the SDKs build their types in the first call
            settings = settings_of(adapter, emulator, stream=True)
            await ask_through(settings, adapter.model, prompt_of(-1), policy=POLICY)

        async def one(number: int, cell: Cell) -> Asked:
            async with gate:
                return await run_cell(cell, emulator, number)

        asked = await asyncio.gather(*(one(number, cell) for number, cell in enumerate(chosen)))
        await _settled_ledger(emulator)
        return [judged(cell, what, emulator) for cell, what in zip(chosen, asked, strict=True)]


def main() -> int:
    """Print the matrix; exit 1 when a cell does not hold."""
    seen = asyncio.run(run_matrix(cells(), at_once=3))
    broken = [one for one in seen if one.problems]
    print("# Fault matrix\n")
    print(
        "Each fault at each adapter, the answer streamed or whole, the fault striking once or at every attempt "
        f"(at most {MAX_ATTEMPTS}). `unknown` is a cost that nobody told: it is stored as NULL and settles at its "
        "reservation. Billed costs equal the emulator's own ledger to the last digit. "
        "`compatible` is an OpenAI-compatible endpoint declared local: free. `responses`, `gemini` and `bedrock` "
        "are OpenAI's responses route and the two providers' own wires.\n"
    )
    print(f"{len(seen) - len(broken)} of {len(seen)} cells hold.\n")
    print(table(seen))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
