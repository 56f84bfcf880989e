"""Suite-wide settings: seeded property tests, no ambient configuration, browser tests only with a browser."""

import os
import shutil

import pytest
from hypothesis import settings

settings.register_profile("suite", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("suite")

LONGEST_FIRST = ("e2e", "evaluation", "packaging", "load")
"""Folders of tests that start processes: begun last, one of their files would keep one worker busy alone."""
AMBIENT_PREFIXES = ("ANTHROPIC_", "OPENAI_", "LLM_", "HARNESS_", "PERF_", "DD_", "COST_", "PROVIDERS_")


def pytest_configure(config: pytest.Config) -> None:
    """No test reads the developer's own keys or settings."""
    for name in list(os.environ):
        if name.startswith(AMBIENT_PREFIXES):
            del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long files first; without a Chromium, browser tests are deselected, and one line says so."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST_FIRST)
    if shutil.which("chromium"):
        return
    browser = [item for item in items if item.get_closest_marker("browser")]
    if browser:
        config.hook.pytest_deselected(items=browser)
        items[:] = [item for item in items if item not in browser]
        config.stash[_DESELECTED] = len(browser)


_DESELECTED = pytest.StashKey[int]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    count = terminalreporter.config.stash.get(_DESELECTED, 0)
    if count:
        terminalreporter.write_line(f"{count} browser tests deselected: no `chromium` on PATH", yellow=True)
