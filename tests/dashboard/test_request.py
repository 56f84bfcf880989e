"""One request by its link: attempts in time, grades, kept text, and how other ways answered the case."""

from dashboard.frame.scope import Scope
from dashboard.queries.request import request_detail
from harness.store import open_store
from tests.dashboard.conftest import texts

REQUEST = "run-e-all-openai-00004"


def test_a_request_is_shown_with_all_that_is_stored(app, full):
    at = app(full, "request", **{"id": REQUEST, "in": "run-e"})
    assert REQUEST in texts(at)
    assert "Other answers to the same case" in texts(at)
    assert len(at.get("plotly_chart")) == 2  # its attempts in time, and its graph


def test_a_request_that_is_not_there_is_said(app, full):
    assert "request: nowhere (not found)" in texts(app(full, "request", id="nowhere"))
    assert "No request chosen" in texts(app(full, "request"))


def test_its_attempts_begin_in_order_and_siblings_are_of_the_same_case(full):
    with open_store(full).snapshot() as view:
        found = request_detail(view, Scope(), REQUEST)
    assert [call["role"] for call in found.calls] == ["draft", "repair"]
    assert found.calls[0]["after_ms"] == 0
    assert {row["strategy"] for row in found.siblings} == {"hybrid", "all-anthropic", "all-openai"}
    assert REQUEST not in {row["request_id"] for row in found.siblings}
    assert len(found.siblings) == 8
