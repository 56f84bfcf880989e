"""The dashboard in a real browser: links, filters, export, comparison, and a baseline that runs."""

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from harness.processes.children import ChildGroup, harness_command
from harness.processes.pictures import PAGES, QUIET
from harness.store import Spool
from tests.dashboard.stores import START, Plan, begin, end, exchange, full_store
from tests.network.watching import attempts, watched_env

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
WAIT_MS = 60_000
HEADINGS = {name: name.capitalize() for name in PAGES}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_store(tmp_path_factory.mktemp("browser") / "store")


@pytest.fixture(scope="module")
def url(store: Path) -> Iterator[str]:
    """The dashboard, started as a user would."""
    with ChildGroup() as group:
        command = harness_command("dashboard", "--store", str(store), "--port", "0")
        log = store.with_name("attempts")
        child = group.start("dashboard", command, env=watched_env(log), serves=True)
        yield f"http://127.0.0.1:{child.wait_port()}"
        assert attempts(log) == []  # whatever the pages need is here


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that notes every request to another host, and every dialog."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    opened.foreign = []
    opened.on("request", lambda r: None if _local(r.url) else opened.foreign.append(r.url))
    opened.on("dialog", lambda dialog: opened.foreign.append(f"dialog {dialog.message}"))
    yield opened
    assert opened.foreign == []
    context.close()


def _local(url: str) -> bool:
    return bool(re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:|about:", url))


def open_page(page: Page, url: str, name: str, query: str = "") -> None:
    page.goto(f"{url}/{'' if name == 'overview' else name}?{query}")
    expect(page.get_by_role("heading", level=1, name=HEADINGS[name])).to_be_visible(timeout=WAIT_MS)
    settled(page)


def settled(page: Page) -> None:
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=WAIT_MS)


def metric(page: Page, label: str):
    """The figure as it stands; one that a rerun is about to replace is stale, and not looked at."""
    fresh = page.locator('[data-stale="false"]').get_by_test_id("stMetric")
    return fresh.filter(has_text=label).get_by_test_id("stMetricValue")


def test_every_page_opens_from_a_link(page, url):
    for name in PAGES:
        open_page(page, url, name, "kind=eval&mode=emulated")
        expect(page.get_by_text("This app has encountered an error")).to_have_count(0)
        expect(page.get_by_text("Page not found")).to_have_count(0)
        if name != "runs":
            expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=WAIT_MS)


def test_a_filter_enters_the_url_and_changes_the_figures(page, url):
    open_page(page, url, "overview", "kind=baseline&mode=emulated")
    before = metric(page, "Total cost").inner_text()
    page.get_by_test_id("stSidebar").get_by_label("Run", exact=False).last.click()
    page.get_by_role("option", name="baseline-a").click()
    page.wait_for_url(re.compile("run=baseline-a"))
    expect(metric(page, "Total cost").first).not_to_have_text(before, timeout=WAIT_MS)
    settled(page)
    shown = metric(page, "Total cost").inner_text()
    page.goto(page.url)
    expect(metric(page, "Total cost")).to_have_text(shown, timeout=WAIT_MS)


def test_a_table_is_exported(page, url):
    open_page(page, url, "cost", "kind=baseline&mode=emulated&run=baseline-a")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").last.click()
    text = Path(waiting.value.path()).read_text()
    assert text.startswith("role,provider,model,calls")
    assert "claude-3-5-sonnet-20241022" in text


def test_two_runs_are_compared(page, url):
    open_page(page, url, "runs", "mode=emulated&a=baseline-a&b=baseline-b")
    expect(page.get_by_text("Change of latency, B - A")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("both were answered by emulated providers")).to_be_visible()


def test_hostile_output_does_nothing(page, url):
    open_page(page, url, "quality", "kind=eval&mode=emulated&request=run-e-all-openai-00004")
    expect(page.get_by_text("<script>document.title").first).to_be_visible(timeout=WAIT_MS)
    assert "owned" not in page.title()
    assert page.locator("img[src*='192.0.2.1']").count() == 0


def test_a_narrow_screen_needs_no_sideways_scrolling(browser, url):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    narrow = context.new_page()
    narrow.set_default_timeout(WAIT_MS)
    open_page(narrow, url, "overview", "kind=eval&mode=emulated")
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_a_running_baseline_advances_by_itself(page, url, store):
    plan = Plan(
        run_id="run-live", name="live-baseline", requests=100, mode=None, start=START + timedelta(days=9)
    )
    rng = random.Random(4)
    with Spool.open(store) as spool:
        spool.append(begin(plan, owner=spool.spool_id)).result()
        _send(spool, plan, range(20), rng)
        open_page(page, url, "live")
        expect(page.get_by_text("20 of 100 planned requests finished")).to_be_visible(timeout=WAIT_MS)
        _send(spool, plan, range(20, 60), rng)
        expect(page.get_by_text("60 of 100 planned requests finished")).to_be_visible(timeout=WAIT_MS)
        _send(spool, plan, range(60, 100), rng)
        spool.append(end(plan)).result()
        expect(page.get_by_text("100 of 100 planned requests finished")).to_be_visible(timeout=WAIT_MS)


def _send(spool: Spool, plan: Plan, seqs: range, rng: random.Random) -> None:
    for seq in seqs:
        row, calls = exchange(plan, seq, rng)
        spool.append_many([row, *calls]).result()


def test_a_click_on_a_row_opens_that_request(page, url):
    open_page(page, url, "latency", "run=baseline-a")
    grid = page.get_by_test_id("stDataFrame").last
    grid.scroll_into_view_if_needed()
    settled(page)
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 52)  # the first row's mark; the cells are a canvas
    expect(page.get_by_role("heading", level=1, name="Request")).to_be_visible()
    settled(page)
    assert "id=run-a-" in page.url
    expect(page.get_by_text("Attempts in time")).to_be_visible()
