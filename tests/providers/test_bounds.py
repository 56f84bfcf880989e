"""An upstream without an end, or a small body that unpacks into a large one: refused while it is read."""

import gzip
import json
import resource
from itertools import chain

import pytest

from harness.providers.reading.body import BodyReader
from harness.providers.reading.events import (
    MOST_BODY_BYTES,
    MOST_LINE_BYTES,
    EventSplitter,
    TooLargeError,
)
from harness.records import ErrorKind
from tests.providers.asking import STREAMS, WHOLE, Build, ask, failure
from tests.providers.wire import STALL, Reply, wire_server

BLOCK = 64 * 1024
MEGABYTE = 1024 * 1024


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _packed(size: int) -> bytes:
    return gzip.compress(b'{"a": "' + b" " * size + b'"}', 9)


async def test_an_endless_line_is_cut_off(kind: str, adapter_at: Build) -> None:
    line = ["data: ", *(["x" * BLOCK] * (2 * MOST_LINE_BYTES // BLOCK))]
    async with wire_server([Reply([*STREAMS[kind]("hello")[:2], *line])]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert error.kind == ErrorKind.BAD_OUTPUT
    assert f"longer than {MOST_LINE_BYTES} bytes" in str(error)


async def test_a_body_without_an_end_is_cut_off(kind: str, adapter_at: Build) -> None:
    pieces = ['{"a": "', *(["x" * MEGABYTE] * (MOST_BODY_BYTES // MEGABYTE + 4))]
    async with wire_server([Reply(pieces, content_type="application/json")]) as server:
        error = await failure(adapter_at(kind, server.url, stream=False))
    assert error.kind == ErrorKind.BAD_OUTPUT
    assert f"larger than {MOST_BODY_BYTES} bytes" in str(error)


async def test_what_unpacks_into_gigabytes_is_never_unpacked(kind: str, adapter_at: Build) -> None:
    packed = _packed(200 * MEGABYTE)
    before_mb = _peak_mb()
    reply = Reply([packed], content_type="application/json", headers={"content-encoding": "gzip"})
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url, stream=False))
    assert error.kind == ErrorKind.BAD_OUTPUT
    assert _peak_mb() - before_mb < 100


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_a_refusal_of_any_size_is_read_as_far_as_it_tells_something(
    kind: str, adapter_at: Build, encoding: str
) -> None:
    body = _packed(50 * MEGABYTE) if encoding else b'{"error": "' + b"x" * 4 * MEGABYTE + b'"}'
    headers = {"content-encoding": encoding} if encoding else {}
    reply = Reply([body], status=503, content_type="application/json", headers=headers)
    before_mb = _peak_mb()
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert (error.kind, error.http_status) == (ErrorKind.UPSTREAM_5XX, 503)
    assert _peak_mb() - before_mb < 40


@pytest.mark.parametrize("stream", [True, False])
async def test_an_honest_packed_answer_is_read(kind: str, adapter_at: Build, stream: bool) -> None:
    said = "".join(STREAMS[kind]("hello")) if stream else json.dumps(WHOLE[kind])
    packed = gzip.compress(said.encode())
    reply = Reply(
        [packed[:20], packed[20:]],
        content_type="text/event-stream" if stream else "application/json",
        headers={"content-encoding": "gzip"},
    )
    async with wire_server([reply]) as server:
        assert (await ask(adapter_at(kind, server.url, stream=stream))).text == "hello"
        assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_a_packing_that_nobody_asked_for_is_refused_in_a_sentence(kind: str, adapter_at: Build) -> None:
    reply = Reply([b"\x0b\x02"], headers={"content-encoding": "br"})
    async with wire_server([reply]) as server:
        error = await failure(adapter_at(kind, server.url))
    assert (error.kind, "packed as 'br'" in str(error)) == (ErrorKind.BAD_OUTPUT, True)


async def test_a_stream_that_stays_open_after_its_end_is_an_answer(kind: str, adapter_at: Build) -> None:
    async with wire_server([Reply([*STREAMS[kind]("hello"), STALL])]) as server:
        assert (await ask(adapter_at(kind, server.url), timeout_s=5)).text == "hello"


@pytest.mark.parametrize(
    ("chunks", "limits"),
    [
        ([b"data: {}\n\n"] * 6, {"most_events": 5}),
        ([b"data: 1\n"] * 20, {"most_line_bytes": 100}),
        ([b"data:\n"] * 21, {"most_line_bytes": 100}),
        ([b": nothing\n"] * 20, {"most_bytes": 100}),
        ([b"x"] * 200, {"most_line_bytes": 100}),
    ],
)
def test_no_stream_has_no_bound(chunks: list[bytes], limits: dict[str, int]) -> None:
    splitter = EventSplitter(**limits)
    with pytest.raises(TooLargeError):
        list(chain.from_iterable(map(splitter.feed, chunks)))


def test_events_are_the_same_however_their_bytes_are_cut() -> None:
    text = '\ufeffevent: a\r\ndata: {"n":1}\r\n\r\n: hm\rdata: 2\rdata: 3\r\rid: 7\n\ndata: 4\n\ndata:5'
    body = text.encode()
    expected = [("a", b'{"n":1}'), ("", b"2\n3"), ("", b"4"), ("", b"5")]
    for size in range(1, len(body) + 1):
        splitter = EventSplitter()
        found = [e for at in range(0, len(body), size) for e in splitter.feed(body[at : at + size])]
        assert [*found, *splitter.end()] == expected, size


def test_blank_bodies_are_bounded_too() -> None:
    class Nobody:
        is_over = False

    reader = BodyReader(Nobody(), most_body_bytes=100)
    with pytest.raises(TooLargeError):
        list(map(reader.feed, [b" " * 10] * 20))
