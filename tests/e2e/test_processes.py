"""Children end with their parent: real processes, killed for real."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from harness.errors import UsageError
from harness.processes.children import ChildError, ChildGroup, harness_command

SERVER = """
import os, sys, time
from harness.processes.lifeline import watch_lifeline
watch_lifeline()
path = sys.argv[sys.argv.index("--port-file") + 1]
with open(path + ".new", "w") as file:
    file.write("4242")
os.replace(path + ".new", path)
print("listening", flush=True)
while True:
    time.sleep(0.1)
"""

STUBBORN = """
import signal, sys, time
from harness.processes.lifeline import watch_lifeline
watch_lifeline()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    time.sleep(0.1)
"""

GEVENT = """
import harness.processes.lifeline
from gevent import monkey
monkey.patch_all()
harness.processes.lifeline.watch_lifeline()
import locust, gevent, signal
gevent.signal_handler(signal.SIGTERM, lambda: print("asked", flush=True))
print("deaf", flush=True)
while True:
    gevent.sleep(0.1)
"""

PARENT = """
import sys, time
from harness.processes.children import ChildGroup
with ChildGroup() as group:
    children = [group.start(str(n), [sys.executable, "-c", code]) for n, code in enumerate(sys.argv[1:])]
    while not all(b"deaf" in c.log_path.read_bytes() for c in children):
        time.sleep(0.02)
    print(*[child.process.pid for child in children], flush=True)
    time.sleep(60)
"""


def wait_until(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not within the time allowed"
        time.sleep(0.02)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_child_says_when_it_is_ready_and_ends_on_request():
    with ChildGroup() as group:
        child = group.start("server", [sys.executable, "-c", SERVER], serves=True)
        assert child.wait_port() == 4242
        assert "listening" in child.log_tail()
        assert os.getsid(child.process.pid) != os.getsid(0)  # Ctrl-C must not reach it
    assert not child.running
    assert not group.folder.exists()


def test_child_that_fails_early_is_named_with_its_last_words():
    with ChildGroup() as group:
        child = group.start("service", [sys.executable, "-c", "raise SystemExit('no key')"], serves=True)
        with pytest.raises(ChildError, match=r"the service ended with code 1 .* no key"):
            child.wait_port()


def test_child_that_refuses_what_was_typed_answers_for_the_command():
    with ChildGroup() as group:
        child = group.start("emulator", harness_command("emulate", "--faults", "{]"), serves=True)
        with pytest.raises(UsageError, match=r"^--faults: is not JSON"):
            child.wait_port()


def test_child_that_ignores_sigterm_is_killed():
    with ChildGroup() as group:
        child = group.start("deaf", [sys.executable, "-c", STUBBORN])
        wait_until(lambda: "deaf" in child.log_tail())
        assert child.stop(grace_s=0.2) == -signal.SIGKILL


def test_patched_child_is_first_asked_then_ended():
    with ChildGroup() as group:
        child = group.start("locust", [sys.executable, "-c", GEVENT])
        wait_until(lambda: "deaf" in child.log_tail())
        assert child.lifeline_fd is not None
        os.close(child.lifeline_fd)
        child.lifeline_fd = None
        assert child.process.wait(20) == 1
        assert child.log_tail().endswith("asked")


def test_kill_9_of_the_parent_ends_even_a_child_that_ignores_sigterm():
    parent = subprocess.Popen([sys.executable, "-c", PARENT, STUBBORN, GEVENT], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    killed_at = time.monotonic()
    wait_until(lambda: all(gone(pid) for pid in pids))
    assert time.monotonic() - killed_at < 6  # 2 s on an idle machine; this one may be busy
