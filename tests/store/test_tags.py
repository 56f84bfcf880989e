"""Tags of requests: from their recorder, from events, bounded and joined, whatever comes first."""

from pathlib import Path
from typing import Any

import pytest

from harness.records import tag_name, tag_names, tags_of
from harness.records.tags import MOST_TAG_CHARS, MOST_TAGS
from harness.store import Spool, ingest, open_store
from harness.store.spool.redact import Redactor
from tests.store.samples import a_request, a_run, an_event, write

TOLD: tuple[tuple[Any, dict[str, str] | None], ...] = (
    ({"plan": "pro", "tenant": "acme"}, {"plan": "pro", "tenant": "acme"}),
    ({"seats": 12, "paid": True, "share": 0.5}, {"seats": "12", "paid": "true", "share": "0.5"}),
    ({"plan": " pro "}, {"plan": "pro"}),
    ({"plan": None, "tenant": {"id": 1}, "roles": ["a"], "blank": "  "}, None),
    ({"Plan": "pro", "pl-an": "pro", "a.b": "c", "1st": "d", "": "e", 'x"]': "f", "é": "g"}, None),
    ({"plan": "p" * 100}, {"plan": "p" * MOST_TAG_CHARS}),
    ({f"t{n}": "x" for n in range(20)}, {f"t{n}": "x" for n in range(MOST_TAGS)}),
    ({"plan": "Ünïcode 漢字"}, {"plan": "Ünïcode 漢字"}),
    ({}, None),
)


@pytest.mark.parametrize(("told", "kept"), TOLD)
def test_an_event_tells_the_tags_that_a_recorder_would_keep(tmp_path: Path, told: Any, kept: Any) -> None:
    assert tags_of(told) == (kept or {})
    write(tmp_path, a_run(), a_request(1), an_event(1, tags=told))
    with open_store(tmp_path).snapshot() as view:
        (request,) = view.requests("run-1")
    assert request.tags == kept


@pytest.mark.parametrize("told", [[], "plan=pro", 3, True])
def test_tags_that_are_no_object_are_none(tmp_path: Path, told: Any) -> None:
    write(tmp_path, a_run(), a_request(1), an_event(1, tags=told))
    with open_store(tmp_path).snapshot() as view:
        assert view.requests("run-1")[0].tags is None


@pytest.mark.parametrize("order", ["request first", "event first"])
def test_both_sides_tell_theirs_and_the_recorder_knows_better(tmp_path: Path, order: str) -> None:
    recorded = (a_run(), a_request(1, tags={"plan": "pro", "tenant": "acme"}))
    told = (an_event(1, tags={"plan": "free", "region": "eu"}),)
    for part in (recorded, told) if order == "request first" else (told, recorded):
        write(tmp_path, *part)
        ingest(tmp_path)
    with open_store(tmp_path).snapshot() as view:
        (request,) = view.requests("run-1")
    assert request.tags == {"plan": "pro", "tenant": "acme", "region": "eu"}


def test_no_secret_stands_in_a_tag(tmp_path: Path) -> None:
    secret = "s3cret-" + "x" * 80
    redactor = Redactor([secret])
    with Spool.open(tmp_path, redactor=redactor) as spool:
        spool.append(a_run()).result()
        spool.append(a_request(1, tags={"tenant": "token sk-abcdefghijklmnop1234"})).result()
    assert tags_of({"tenant": secret}, redactor.text) == {"tenant": "[redacted]"}
    with open_store(tmp_path).snapshot() as view:
        assert view.requests("run-1")[0].tags == {"tenant": "token [redacted]"}


@pytest.mark.parametrize(
    "name", ["Plan", "pl an", "plan'; DROP TABLE runs --", "a.b", "", "_x", "1st", "x" * 65]
)
def test_what_cannot_name_a_tag_is_one_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a tag: small letters, digits and _ can"):
        tag_name(name)


def test_names_are_bounded_in_number_and_stand_once() -> None:
    assert tag_names(["plan", "tenant", "plan"]) == ("plan", "tenant")
    with pytest.raises(ValueError, match="9 tags are too many: a request keeps at most 8"):
        tag_names([f"t{n}" for n in range(9)])
