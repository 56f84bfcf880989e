"""The full store is written once; each test looks at it through the application."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harness.bundle import bundled
from tests.dashboard.stores import full_store

APP = str(bundled("dashboard", "app.py"))


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_store(tmp_path_factory.mktemp("dashboard") / "store")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens a page of the dashboard on a store, with query parameters."""

    def open_page(store: Path, page: str = "overview", **params: str | list[str]) -> AppTest:
        monkeypatch.setenv("HARNESS_STORE", str(store))
        at = AppTest.from_file(APP, default_timeout=60)
        for name, value in params.items():
            at.query_params[name] = value
        at.run()
        if page != "overview":
            at.switch_page(f"views/{page}.py").run()
        assert not at.exception, [item.value for item in at.exception]
        return at

    return open_page


def texts(at: AppTest) -> str:
    """All text that the page shows, joined."""
    kinds = (
        "title",
        "subheader",
        "markdown",
        "caption",
        "text",
        "info",
        "success",
        "warning",
        "error",
        "code",
    )
    return "\n".join(str(item.value) for kind in kinds for item in at.get(kind))


def metrics(at: AppTest) -> dict[str, str]:
    """The cards by label."""
    return {item.label: item.value for item in at.metric}
