"""Runs the product's programs where nothing can leave this machine, and tells what they tried."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
WATCHED = Path(__file__).with_name("watched")


def watched_env(log: Path, **more: str) -> dict[str, str]:
    """This environment with the watch in it; children inherit it."""
    return {**os.environ, "PYTHONPATH": f"{WATCHED}{os.pathsep}{ROOT}", "NETWORK_LOG": str(log), **more}


def attempts(log: Path) -> list[str]:
    """What was tried, one line each; at least one process must have been watched."""
    lines = log.read_text().splitlines()
    assert "watching" in lines
    return [line for line in lines if line != "watching"]
