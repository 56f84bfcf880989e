"""docs/store.md: the notebook's lines run, the files it names are the files there are."""

import re
from pathlib import Path

import pytest

from harness.store import StorePaths, ingest
from harness.store.spool.redact import PATTERNS_VARIABLE
from tests.store.samples import a_call, a_request, a_run, an_event, write

PAGE = (Path(__file__).parents[2] / "docs/store.md").read_text()


def test_the_notebook_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "results", a_run(), a_request(1), an_event(1), a_call(1))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
    assert names["frame"]["request_id"].tolist() == ["q1"]  # type: ignore[index]
    assert names["table"].num_rows == 1  # type: ignore[attr-defined]


def test_every_file_of_a_store_is_documented(tmp_path: Path) -> None:
    write(tmp_path, a_run())
    ingest(tmp_path)
    assert StorePaths(tmp_path).database.exists()
    for path in tmp_path.iterdir():
        assert f"`{path.name}" in PAGE, path.name
    assert f"`{PATTERNS_VARIABLE}`" in PAGE
