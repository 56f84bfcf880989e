"""A running service, its log followed into another store, the alerts watched, and a fault switched on."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from harness.processes.children import Child, ChildGroup, harness_command
from harness.processes.embedded import EmbeddedTarget, start_emulator
from harness.store import open_store

RULE = """rules:
  - name: api_error_ratio
    title: API error ratio
    metric: errors
    aggregation: ratio
    window: {window}
    threshold: 0.05
    min_samples: 3
    severity: critical
"""


@dataclass
class Scene:
    """What runs. `store` is the one that only the log feeds."""

    emulator_url: str
    client: httpx2.Client
    store: Path
    watcher: Child
    follower: Child
    sent: int = 0

    def ask(self) -> None:
        self.client.post("/assist/draft-graph", json={"brief": f"Should we hire {self.sent} more people?"})
        self.sent += 1

    def set_faults(self, *kinds: str) -> None:
        rules = [{"kind": kind, "retry_after_ms": 1} for kind in kinds]
        httpx2.post(f"{self.emulator_url}/_emulator/faults", json=rules).raise_for_status()

    def ask_until(self, state: str, timeout_s: float) -> float:
        """Keep asking until the alert changes to a state; how long that took, seconds."""
        began = time.monotonic()
        looked = 0.0
        while time.monotonic() - began < timeout_s:
            self.ask()
            if time.monotonic() - looked > 0.5:
                looked = time.monotonic()
                if self.history()[-1:] == [state]:
                    return time.monotonic() - began
        raise AssertionError(f"not {state} within {timeout_s} s: {self.history()} {self.watcher.log_tail()}")

    def history(self) -> list[str]:
        """The alert's firing and resolved, in order."""
        with open_store(self.store).snapshot() as view:
            rows = view.rows(
                "SELECT state FROM alert_events WHERE rule = 'api_error_ratio' "
                "AND state IN ('firing', 'resolved') ORDER BY ts"
            )
        return [state for (state,) in rows]


@contextmanager
def live_scene(folder: Path, *, window: str) -> Iterator[Scene]:
    """Emulator, service, `ingest --follow` and `alerts watch`, all as users start them."""
    rules, log, store = folder / "rules.yaml", folder / "service.jsonl", folder / "ops"
    rules.write_text(RULE.format(window=window))
    (store / "spool").mkdir(parents=True)
    log.touch()
    with ChildGroup() as group:
        _, emulator_url = start_emulator(group, EmbeddedTarget(speed=200, defect_rate=0))
        env = {
            **os.environ,
            "ANTHROPIC_BASE_URL": emulator_url,
            "ANTHROPIC_API_KEY": "sk-ant-emulated",
            "LLM_MODEL": "claude-3-5-sonnet-20241022",
        }
        options = ("--environment", "production", "--store", str(folder / "service"))
        serve = harness_command("serve", "--port", "0", *options, "--telemetry-jsonl", str(log))
        service = group.start("service", serve, env=env, serves=True)
        ingest = harness_command("ingest", str(log), "--follow", "--store", str(store))
        follower = group.start("follower", ingest)
        with httpx2.Client(base_url=f"http://127.0.0.1:{service.wait_port()}", timeout=30) as client:
            scene = Scene(emulator_url, client, store, follower, follower)
            scene.ask()
            wait_for_rows(scene)
            watch = harness_command("alerts", "watch", "--every", "1s", "--rules", str(rules), "--json")
            scene.watcher = group.start("watcher", [*watch, "--store", str(store)])
            yield scene


def wait_for_rows(scene: Scene, timeout_s: float = 60.0) -> None:
    """Until the follower has brought the first request."""
    began = time.monotonic()
    while time.monotonic() - began < timeout_s:
        if (scene.store / "harness.duckdb").exists():
            with open_store(scene.store).snapshot() as view:
                if view.rows("SELECT count(*) FROM requests") != [(0,)]:
                    return
        time.sleep(0.1)
    raise AssertionError(f"nothing arrived: {scene.follower.log_tail()}")


def log_requests(folder: Path) -> list[str]:
    """The request ids that the service logged."""
    lines = (folder / "service.jsonl").read_text().splitlines()
    return [json.loads(line)["request_id"] for line in lines]
