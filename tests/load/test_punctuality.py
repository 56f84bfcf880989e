"""A machine that is too busy for an embedded run: who was late is told, and no verdict rests on it."""

import contextlib
import io
import os
import signal
import threading
import time

import psutil
import pytest
from rich.console import Console

from harness.cli.conclusion import conclude
from harness.cli.demo import run_demo
from harness.emulator import EmulatorSettings, running_emulator
from harness.figures.sides import whole_side
from harness.gate import GateLimits, evaluate_gate
from harness.lateness import LoopLag, lateness_of
from harness.load.ending import Ending, end_record
from harness.load.live import LiveRun
from harness.load.plan import LoadPlan
from harness.load.progress import Finished, Report
from harness.load.punctuality import EmbeddedClocks, PartLateness
from harness.processes.children import ChildGroup, harness_command
from harness.processes.embedded import EmbeddedTarget
from harness.records import GateVerdict, RunStatus
from harness.store import open_store
from tests.service.running import emulated_env, service

LIMIT_MS = 8000.0


class TurnedClock:
    """A clock that is turned by hand."""

    def __init__(self):
        self.ns = 1_000_000_000

    def monotonic_ns(self):
        return self.ns

    def pass_ms(self, ms):
        self.ns += int(ms * 1e6)


def lag_of(rests_ms, clock=None, every_ms=100.0):
    clock = clock or TurnedClock()
    lag = LoopLag(every_ms, clock)
    for rest_ms in rests_ms:
        lag.rests()
        clock.pass_ms(rest_ms)
        lag.woke()
    return lag


def test_a_punctual_loop_is_not_late_and_one_never_watched_is_unknown():
    assert lag_of([100.0] * 50).within(60).max_ms == 0.0
    told = lag_of([]).within(60)
    assert (told.n, told.p99_ms, told.max_ms) == (0, None, None)


def test_every_moment_that_was_slept_through_counts():
    told = lag_of([100.0] * 10 + [1100.0]).within(60)  # one sleep a second too long: ten moments missed
    assert told.n == 10 + 10
    assert told.max_ms == pytest.approx(1000)
    assert told.p99_ms == pytest.approx(1000)


def test_only_the_asked_for_seconds_count():
    clock = TurnedClock()
    lag = lag_of([1100.0] + [100.0] * 30, clock)
    assert lag.within(2.5).max_ms == 0.0
    assert lag.within(60).max_ms == pytest.approx(1000)


def test_early_moments_are_punctual():
    assert lateness_of([-5.0, -1.0]).max_ms == 0.0


def late(part, p99_ms):
    return PartLateness(part=part, told=lateness_of([p99_ms] * 10))


def ended(parts, *, generator_late_ms=0.0, tmp_path):
    live = LiveRun(1)
    finished = [Finished(seq=0, latency_ms=1.0, lateness_ms=generator_late_ms, ok=True)]
    live.take(Report(worker=0, sent=1, finished=finished))
    plan = LoadPlan(
        run_id="run_1", name="r", target="http://127.0.0.1:1", scenario="baseline", store_dir=tmp_path,
        cases_path=tmp_path / "c", rps=1, duration_s=1,
    )  # fmt: skip
    ending = Ending(
        status=RunStatus.COMPLETED, asked_to_end=False, test=None, staircase=None, fallback_mode=None,
        empty_columns=[], parts=parts,
    )  # fmt: skip
    return end_record(plan, live, ending, limit_ms=LIMIT_MS).summary


@pytest.mark.parametrize("part", ["emulator", "service"])
def test_who_was_late_and_by_how_much_is_told(part, tmp_path):
    summary = ended([late(part, 812.4)], tmp_path=tmp_path)
    assert summary["suspect"]
    assert summary["late"] == [part]
    assert summary[f"{part}_late_p99_ms"] == 812.4
    (reason,) = summary["suspect_reasons"]
    assert part in reason
    assert "p99 812 ms" in reason
    assert "400 ms (5% of the limit)" in reason


def test_within_its_share_of_the_limit_nobody_is_late(tmp_path):
    summary = ended([late("emulator", 399.0), late("service", 399.0)], tmp_path=tmp_path)
    assert not summary["suspect"]
    assert summary["late"] == []
    assert summary["service_late_p99_ms"] == 399.0


def test_a_part_that_did_not_tell_is_unknown_not_punctual(tmp_path):
    summary = ended([PartLateness(part="service", told=None)], tmp_path=tmp_path)
    assert summary["service_late_p99_ms"] is None


def test_a_late_generator_is_named_beside_them(tmp_path):
    summary = ended([late("service", 500.0)], generator_late_ms=900.0, tmp_path=tmp_path)
    assert summary["late"] == ["service", "generator"]
    assert len(summary["suspect_reasons"]) == 2


def test_emulator_and_service_tell_by_their_own_clocks():
    with running_emulator(EmulatorSettings(speed=100)) as emulator, service(emulated_env(emulator)) as client:
        clocks = EmbeddedClocks(emulator.base_url, str(client.base_url))
        clocks.begin()
        assert [part.told.n for part in clocks.told()] == [0, 0]
        brief = {"brief": "Should we move the monthly report from spreadsheets to a database this year?"}
        assert client.post("/assist/draft-graph", json=brief).status_code == 200
        lag = client.get("/lateness", params={"within_s": "x"})
        assert (lag.status_code, lag.json()["schema"]) == (400, "error.v1")
        told = {part.part: part.told for part in clocks.told()}
        assert told["emulator"].n >= 1
        entry = emulator.app.engine.ledger.entries[-1]
        assert 0 <= entry.late_ms <= entry.finished_ms
        assert not clocks.too_late(LIMIT_MS)


def test_the_served_service_measures_its_loop(tmp_path):
    with ChildGroup() as group:
        command = harness_command("serve", "--port", "0", "--store", str(tmp_path))
        child = group.start("service", command, env={**os.environ, "LLM_PROVIDER": "fixtures"}, serves=True)
        clocks = EmbeddedClocks("http://127.0.0.1:1", f"http://127.0.0.1:{child.wait_port()}")
        until = time.monotonic() + 20
        while clocks.told()[1].told.n < 5 and time.monotonic() < until:
            time.sleep(0.1)
        child.signal(signal.SIGSTOP)
        time.sleep(0.8)
        child.signal(signal.SIGCONT)
        while clocks.told()[1].told.max_ms < 500 and time.monotonic() < until:
            time.sleep(0.1)
        emulator, served = clocks.told()
        assert emulator.told is None  # nobody there: unknown, not punctual
        assert served.told.max_ms > 500
        assert clocks.too_late(LIMIT_MS)


def hold_emulators(over):
    """Stop this process's emulators again and again, once they serve, until they are held no more."""
    while not over.wait(0.2):
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "emulate" in child.cmdline() and child.net_connections():
                    child.send_signal(signal.SIGSTOP)
                    over.wait(0.7)
                    child.send_signal(signal.SIGCONT)


def test_the_demo_goes_slower_on_a_busy_machine_and_ends_with_its_page(tmp_path):
    said = io.StringIO()
    over = threading.Event()
    console = Console(file=said, width=300)
    console_print = console.print

    def listening(*words, **style):
        console_print(*words, **style)
        if "Once more" in said.getvalue():
            over.set()

    console.print = listening
    holder = threading.Thread(target=hold_emulators, args=(over,))
    holder.start()
    try:
        outcome = run_demo(50, 20, tmp_path, console, embedded=EmbeddedTarget(speed=10))
    finally:
        over.set()
        holder.join()
    assert "the emulator answered late: p99" in said.getvalue()
    assert "this machine was busy" in said.getvalue()
    assert "Once more at 10 requests/s" in said.getvalue()
    conclusion = conclude(tmp_path, outcome.run_id, limit_ms=LIMIT_MS)
    assert conclusion.summary.requests == 50
    assert conclusion.reports["html"].is_file()
    with open_store(tmp_path).snapshot() as view:
        late = [
            run for run in view.runs() if run.summary.get("late")
        ]  # the later ones, if others load it too
        first = min(late, key=lambda run: run.started_at)
        assert first.summary["ended_by"] in ("a machine too busy for its rate", "the schedule's end")
        assert len(late) == said.getvalue().count("Once more") + bool(outcome.ended.late)
        report = evaluate_gate(whole_side(view, first), GateLimits(max_p95_ms=100))
    assert report.verdict is GateVerdict.INCONCLUSIVE
    assert "the emulator answered late" in str(report.as_json())
