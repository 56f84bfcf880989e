"""`harness dashboard --screenshots`: every page as a picture, for the documentation and for looking at it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from harness.errors import UsageError
from harness.outputs import replace_file
from harness.processes.children import ChildGroup
from harness.processes.dashboard import HOST, dashboard_command, dashboard_env, free_port

WIDTHS = (1440, 390)
"""A desk and a phone, pixels."""

PAGES = ("overview", "latency", "cost", "quality", "savings", "runs", "alerts", "live")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_READY_MS = 60_000
_SETTLE_MS = 1_200
"""Plotly animates its first drawing; a picture taken at once shows half of it."""


def save_pictures(store: Path, folder: Path, *, query: str = "", dark: bool = False) -> Iterator[Path]:
    """Save `<page>-<width>.png` of every page, with the filters of a URL's query; each path once it is there.

    Raises:
        UsageError: no Chromium.
    """
    port = free_port(0)
    with ChildGroup() as group, sync_playwright() as playwright:
        command = [*dashboard_command(), "--port", str(port)]
        child = group.start("dashboard", command, env=dashboard_env(store), serves=True)
        child.wait_port()
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        for width in WIDTHS:
            yield from _walk(browser, f"http://{HOST}:{port}", folder, width, query, dark=dark)
        browser.close()


def _walk(browser: Browser, url: str, folder: Path, width: int, query: str, *, dark: bool) -> Iterator[Path]:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        device_scale_factor=1,
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{url}/{'' if name == 'overview' else name}?{query}")
        _settle(page)
        path = folder / f"{name}-{width}.png"
        _whole_height(page, width)
        replace_file(path, page.screenshot())
        yield path
    context.close()


def _settle(page: Page) -> None:
    page.wait_for_selector("h1", timeout=_READY_MS)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=_READY_MS)
    page.wait_for_timeout(_SETTLE_MS)


def _whole_height(page: Page, width: int) -> None:
    """Streamlit scrolls inside its page: the window takes the content's height."""
    height = page.evaluate("document.querySelector('[data-testid=\"stMainBlockContainer\"]').scrollHeight")
    page.set_viewport_size({"width": width, "height": max(900, int(height) + 40)})
    page.wait_for_timeout(_SETTLE_MS)


def chromium() -> str:
    """The browser on the PATH.

    Raises:
        UsageError: there is none.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise UsageError("pictures need Chromium on the PATH")
    return found
