"""The embedded target: the provider emulator and the reference service, as children on loopback."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from harness.outputs import replace_file
from harness.pricing.book import PRICES_VARIABLE
from harness.processes.children import Child, ChildGroup, harness_command

DRAFT_MODEL = "claude-3-5-sonnet-20241022"
REPAIR_MODEL = "gpt-4o-mini"
_DROPPED = (
    "ANTHROPIC_",
    "OPENAI_",
    "GEMINI_",
    "BEDROCK_",
    "AWS_BEARER_TOKEN_",
    "LLM_",
    "PROVIDERS_",
    "HARNESS_",
    "DD_",
)
"""The user's own providers, keys and settings stay out of an embedded run; their prices do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedTarget:
    """How the emulator and the service are started.

    Attributes:
        speed: latencies are divided by it; 1 is realistic.
        seed: of every emulated draw; None takes the emulator's own.
        defect_rate: share of drafts with a broken rule; None takes each model's own.
        faults: fault rules, a file or JSON.
        ledger: where the emulator writes what it really did.
        environment: as recorded.
        rpm: requests a minute that the emulator allows each model; None for no limit.
    """

    speed: float = 1.0
    seed: int | None = None
    defect_rate: float | None = None
    faults: str | None = None
    ledger: Path | None = None
    environment: str = "demo"
    rpm: int | None = None


def start_emulator(group: ChildGroup, embedded: EmbeddedTarget) -> tuple[Child, str]:
    """The emulator, ready, and its base URL."""
    options = ["--port", "0", "--speed", f"{embedded.speed:g}"]
    for name, value in (
        ("--seed", embedded.seed),
        ("--defect-rate", embedded.defect_rate),
        ("--faults", embedded.faults),
        ("--ledger", embedded.ledger),
        ("--rpm", embedded.rpm),
    ):
        if value is not None:
            options += [name, str(value)]
    child = group.start("emulator", harness_command("emulate", *options), serves=True)
    return child, f"http://127.0.0.1:{child.wait_port()}"


def emulated_environment(emulator_url: str) -> dict[str, str]:
    """This process's variables with every provider at the emulator, without the user's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    env = kept | {name: value for name, value in os.environ.items() if name == PRICES_VARIABLE}
    return env | {
        "ANTHROPIC_BASE_URL": emulator_url,
        "ANTHROPIC_API_KEY": "sk-ant-emulated",
        "OPENAI_BASE_URL": f"{emulator_url}/v1",
        "OPENAI_API_KEY": "sk-emulated",
        "GEMINI_BASE_URL": emulator_url,
        "GEMINI_API_KEY": "AIza-emulated",
        "BEDROCK_BASE_URL": emulator_url,
        "AWS_BEARER_TOKEN_BEDROCK": "ABSK-emulated",
    }


def start_service(
    group: ChildGroup, emulator_url: str, store_dir: Path, embedded: EmbeddedTarget
) -> tuple[Child, str]:
    """The service on a hybrid route to the emulator, ready, and its base URL."""
    providers = group.folder / "providers.json"
    overrides = {"repair_graph": {"provider": "openai", "model": REPAIR_MODEL}}
    replace_file(providers, json.dumps({"overrides": overrides}).encode())
    env = emulated_environment(emulator_url) | {
        "LLM_PROVIDER": "anthropic",
        "LLM_MODEL": DRAFT_MODEL,
        "PROVIDERS_CONFIG_PATH": str(providers),
    }
    options = ["--port", "0", "--telemetry-header", "--environment", embedded.environment, "--grace", "0.3"]
    command = harness_command("serve", *options, "--store", str(store_dir))
    child = group.start("service", command, env=env, serves=True)
    return child, f"http://127.0.0.1:{child.wait_port()}"
