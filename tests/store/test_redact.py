"""Canaries: no secret that a record carries reaches a spool, wherever it stands in it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.records import Event, Request, RequestStatus
from harness.store import Spool, StorePaths
from harness.store.spool.codec import encode_json, json_object
from harness.store.spool.redact import MASK, Redactor

CANARY = "canary-5f0c1d9e-do-not-print"


def written(store: Path, record: Any, redactor: Redactor | None = None) -> str:
    with Spool.open(store, redactor=redactor) as spool:
        spool.append(record).result(5)
    return StorePaths(store).segments()[-1].path.read_text()


def test_a_key_from_the_environment_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    request = Request(
        run_id="r", request_id="q", status=RequestStatus.ERROR, error_message=f"401 for {CANARY}!"
    )
    text = written(tmp_path, request)
    assert CANARY not in text
    assert f"401 for {MASK}!" in text


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-abcdefghijklmnop",
        "Bearer abcdefghijklmnop.qrst",
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_abcdefghijklmnopqrstuvwx",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
    ],
)
def test_what_looks_like_a_key_is_masked(tmp_path: Path, secret: str) -> None:
    request = Request(
        run_id="r", request_id="q", status=RequestStatus.ERROR, error_message=f"refused: {secret}"
    )
    assert secret not in written(tmp_path, request)


def test_ordinary_words_stay(tmp_path: Path) -> None:
    words = "ask-the-risk-desk-about-it-now, Basic plan, Bearer of news"
    request = Request(run_id="r", request_id="q", status=RequestStatus.ERROR, error_message=words)
    assert words in written(tmp_path, request)


def test_patterns_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = tmp_path / "patterns"
    patterns.write_text("# customers\ncustomer-[0-9]+\n")
    monkeypatch.setenv("HARNESS_REDACT", str(patterns))
    request = Request(
        run_id="r", request_id="q", status=RequestStatus.ERROR, error_message="for customer-4711"
    )
    assert "4711" not in written(tmp_path, request)


@pytest.mark.parametrize("line", ["(", ".*"])
def test_a_bad_pattern_is_one_sentence(tmp_path: Path, line: str) -> None:
    patterns = tmp_path / "patterns"
    patterns.write_text(f"fine\n{line}\n")
    with pytest.raises(ConfigError, match=":2:"):
        Redactor.from_environment({"HARNESS_REDACT": str(patterns)})


secrets = st.text(min_size=8, max_size=40).filter(lambda text: text.strip() == text and len(set(text)) > 3)
around = st.text(max_size=12)


@settings(max_examples=300, deadline=None)
@given(secret=secrets, before=around, after=around, depth=st.integers(0, 3), as_key=st.booleans())
def test_a_canary_is_masked_wherever_it_stands(
    secret: str, before: str, after: str, depth: int, as_key: bool
) -> None:
    text = before + secret + after
    value: Any = {text: 1} if as_key else text
    for _ in range(depth):
        value = {"list": [value, 1.5], "n": None}
    event = Event(
        ts=datetime.now(UTC), name="x", request_id=text, run_id=None, environment=None, payload={"v": value}
    )
    row = json_object(event)
    masked = Redactor([secret]).row("event", row, encode_json(row))
    assert masked is not None
    assert all(secret not in part for part in _texts(masked))


def _texts(row: dict[str, Any]) -> list[str]:
    found = []

    def walk(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for key, item in value.items():
                found.append(key)
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for name, value in row.items():
        walk(json.loads(value) if name == "payload" else value)
    return found
