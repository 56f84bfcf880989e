"""Export to S3 and reading back, over real HTTP, against an S3 server in a process of its own."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import StoreError, StoreMissingError
from harness.store import open_store
from harness.store.objects.export import export_parquet
from tests.store.samples import TABLES, everything
from tests.store.test_export import filled

BUCKET = "llm"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """host:port of an S3 server on loopback with an empty bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _make_bucket(server, f"http://127.0.0.1:{port}/{BUCKET}")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def _make_bucket(server: "subprocess.Popen[bytes]", url: str) -> None:
    """As soon as the server answers; its end, or a minute, is a failure."""
    for _ in range(600):
        assert server.poll() is None, "the S3 server did not start"
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=5).close()
        except urllib.error.URLError:
            time.sleep(0.1)  # between asking again whether it is there
        else:
            return
    raise AssertionError("the S3 server did not answer")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)


def address(endpoint: str, place: str, bucket: str = BUCKET) -> str:
    return f"s3://{bucket}/{place}?region=us-east-1&scheme=http&endpoint_override={endpoint}"


def test_an_export_to_object_storage_reads_back_the_same_rows(tmp_path: Path, endpoint: str) -> None:
    store = filled(tmp_path / "store")
    where = address(endpoint, "deep/place")
    for _ in range(2):  # again, and nothing is there twice
        report = export_parquet(open_store(store), where)
    assert report.where == f"s3://{BUCKET}/deep/place"
    exported, original = everything(Path(where)), everything(store)
    for table in TABLES:
        assert exported[table] == original[table], table


def test_a_run_exported_again_replaces_itself_and_leaves_the_others(tmp_path: Path, endpoint: str) -> None:
    store, where = filled(tmp_path / "store"), address(endpoint, "again")
    export_parquet(open_store(store), where)
    export_parquet(open_store(store), where, runs=["run-2"])
    with open_store(where).snapshot() as view:
        counts = dict(view.rows("SELECT run_id, count(*) FROM requests GROUP BY ALL"))
    assert counts == {"run/1": 1, "run-2": 1}


def test_the_sdks_own_variables_name_the_endpoint_too(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path / "store")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    export_parquet(open_store(store), f"s3://{BUCKET}/by-variable")
    assert len(open_store(f"s3://{BUCKET}/by-variable").requests()) == 2


def test_what_is_not_there_is_one_sentence_without_credentials(tmp_path: Path, endpoint: str) -> None:
    store = filled(tmp_path / "store")
    with pytest.raises(StoreMissingError, match=r"no exported store at s3://llm/nothing$"):
        open_store(address(endpoint, "nothing"))
    with pytest.raises(StoreError, match="s3://none/x cannot be written") as caught:
        export_parquet(open_store(store), address(endpoint, "x", bucket="none"))
    assert "\n" not in str(caught.value)
    assert "AWS_SECRET" not in str(caught.value)
