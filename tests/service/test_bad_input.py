"""Everything a client can get wrong is a 4xx `error.v1`, quickly, and never a 500."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service.running import service

URL = "/assist/draft-graph"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx2.Client]:
    with service() as running:
        yield running


def refused(response: httpx2.Response, status: int = 400, code: str = "BAD_INPUT") -> dict[str, Any]:
    assert response.status_code == status, response.text[:300]
    body = response.json()
    assert (body["schema"], body["code"]) == ("error.v1", code)
    assert isinstance(body["message"], str)
    assert "Traceback" not in response.text
    assert "\n" not in body["message"]
    assert response.headers["x-request-id"]
    return dict(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"not json",
        b"[]",
        b'"text"',
        b"null",
        b"42",
        b"{}",
        b'{"brief": ""}',
        b'{"brief": "  \\n\\t "}',
        b'{"brief": null}',
        b'{"brief": 7}',
        b'{"brief": ["a"]}',
        b'{"brief": {"a": 1}}',
        b'{"brief": NaN}',
        b'{"brief": 1e999}',
        b'{"brief": "ok", "flags": Infinity}',
        b'{"brief": "\xff\xfe"}',
        b'{"brief": "\\ud800"}',
        b'{"brief": "a\x00b"}',
        b'{"brief": "ok", "attachments": 5}',
        b'{"brief": "ok", "constraints": 5}',
        b'{"brief": "ok", "flags": "x"}',
        b'{"brief": "ok", "include_debug": "yes"}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        orjson.dumps({"brief": "x" * 5001}),
        b"\x1f\x8b\x08\x00garbage",
    ],
)
def test_a_wrong_body_is_a_400(client: httpx2.Client, body: bytes) -> None:
    refused(client.post(URL, content=body))


FIELDS = ("brief", "goal", "constraints", "flags", "attachments", "include_debug", "unknown")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    body=st.dictionaries(st.sampled_from(FIELDS), JSON),
    route=st.sampled_from(("draft-graph", "suggest-options")),
)
def test_no_json_object_is_ever_a_500(client: httpx2.Client, body: dict[str, Any], route: str) -> None:
    response = client.post(f"/assist/{route}", content=json.dumps(body))
    assert response.status_code in (200, 400), response.text


@pytest.mark.parametrize("characters", [1, 5000])
def test_the_longest_and_the_shortest_brief_pass(client: httpx2.Client, characters: int) -> None:
    assert client.post(URL, json={"brief": "x" * characters}).status_code == 200


def test_a_huge_body_is_refused_quickly(client: httpx2.Client) -> None:
    started = time.monotonic()
    body = refused(client.post(URL, content=b'{"brief": "' + b"x" * 10_000_000 + b'"}'))
    assert body["details"]["max_bytes"] < 10_000_000
    assert time.monotonic() - started < 5


def test_a_huge_body_without_a_length_is_refused_too(client: httpx2.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(160):
            yield b"x" * 65_536

    refused(client.post(URL, content=chunks()))


def test_curl_as_typed_gets_a_graph(client: httpx2.Client) -> None:
    command = ["curl", "-s", "-X", "POST", f"http://127.0.0.1:{client.base_url.port}{URL}"]
    done = subprocess.run(
        [*command, "-d", '{"brief":"Test request"}'], capture_output=True, timeout=20, check=True
    )
    answer = orjson.loads(done.stdout)
    assert answer["graph"]["nodes"]
    assert answer["quality_tier"] in ("high", "medium", "low")


def test_curl_sending_ten_megabytes_reads_the_refusal(client: httpx2.Client) -> None:
    url = f"http://127.0.0.1:{client.base_url.port}{URL}"
    done = subprocess.run(
        ["curl", "-s", "-w", "%{http_code}", "-X", "POST", url, "--data-binary", "@-"],
        input=b"x" * 10_000_000,
        capture_output=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.endswith(b"400")
    assert b"error.v1" in done.stdout


def test_unknown_routes_and_methods_are_error_v1_too(client: httpx2.Client) -> None:
    refused(client.get("/nowhere"), 404)
    refused(client.get(URL), 405)
    refused(client.delete("/healthz"), 405)
    refused(client.get("/healthz/"), 404)


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 129, "ü", "a/b", "<script>"])
def test_an_invalid_request_id_is_refused_and_not_echoed(client: httpx2.Client, request_id: str) -> None:
    headers = [(b"x-request-id", request_id.encode())]
    response = client.post(URL, json={"brief": "ok"}, headers=headers)
    refused(response)
    assert response.headers["x-request-id"] != request_id


def test_two_request_ids_are_refused(client: httpx2.Client) -> None:
    response = client.post(
        URL, json={"brief": "ok"}, headers=[(b"x-request-id", b"a"), (b"x-request-id", b"b")]
    )
    refused(response)


def test_a_valid_request_id_comes_back_also_from_a_refusal(client: httpx2.Client) -> None:
    headers = {"X-Request-Id": "mine-1"}
    assert client.post(URL, json={"brief": "ok"}, headers=headers).headers["x-request-id"] == "mine-1"
    assert client.post(URL, json={"brief": ""}, headers=headers).headers["x-request-id"] == "mine-1"


def test_a_client_that_leaves_in_mid_body_harms_nobody(client: httpx2.Client) -> None:
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port or 80)) as raw:
        raw.sendall(b"POST /assist/draft-graph HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert client.get("/healthz").status_code == 200


def test_garbage_instead_of_http_is_answered(client: httpx2.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00garbage\r\n\r\n")
        assert b"400" in raw.recv(1000)
    assert client.get("/healthz").status_code == 200
