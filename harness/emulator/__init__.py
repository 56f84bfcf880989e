"""A loopback stand-in for the providers that keeps the truth of what it did."""

from harness.emulator.answers import JudgeLeanings
from harness.emulator.app import EmulatorApp, create_app
from harness.emulator.faults import FaultKind, FaultRule, load_rules
from harness.emulator.ledger import LedgerEntry
from harness.emulator.models import ModelProfile, find_model
from harness.emulator.quantile import LatencyCurve
from harness.emulator.server import RunningEmulator, running_emulator, serve
from harness.emulator.settings import DEFAULT_SEED, EmulatorSettings

__all__ = [
    "DEFAULT_SEED",
    "EmulatorApp",
    "EmulatorSettings",
    "FaultKind",
    "FaultRule",
    "JudgeLeanings",
    "LatencyCurve",
    "LedgerEntry",
    "ModelProfile",
    "RunningEmulator",
    "create_app",
    "find_model",
    "load_rules",
    "running_emulator",
    "serve",
]
