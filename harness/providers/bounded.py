"""Bodies of providers' answers, bounded while they are read: by bytes, and by what they unpack to.

We ask for no compression; what comes compressed all the same is unpacked here in small steps, for the HTTP
client would unpack a few kilobytes into gigabytes before anyone could count them.
"""

import zlib
from collections.abc import AsyncIterator, Iterator

import httpx2

from harness.providers.reading.body import UnreadableError
from harness.providers.reading.events import MOST_STREAM_BYTES, TooLargeError

MOST_REFUSAL_BYTES = 64 * 1024
"""Of an error's body; the rest is not read."""
_STEP_BYTES = 64 * 1024
_ANY_ZLIB_WINDOW = 47
"""gzip or zlib, told by the header."""
_UNPACKED = ("gzip", "x-gzip", "deflate")


class _BoundedBody(httpx2.AsyncByteStream):
    """A body that ends (a refusal's) or fails (an answer's) at its limit, unpacked where it is packed."""

    def __init__(self, inner: httpx2.AsyncByteStream, limit: int, *, is_packed: bool, is_cut: bool) -> None:
        self._inner = inner
        self._limit = limit
        self._unpacker = zlib.decompressobj(_ANY_ZLIB_WINDOW) if is_packed else None
        self._is_cut = is_cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            for piece in self._plain(chunk):
                size += len(piece)
                if size > self._limit:
                    if self._is_cut:
                        return
                    raise TooLargeError(f"the answer is larger than {self._limit} bytes")
                yield piece

    def _plain(self, packed: bytes) -> Iterator[bytes]:
        if self._unpacker is None:
            yield packed
            return
        while packed and not self._unpacker.eof:
            try:
                yield self._unpacker.decompress(packed, _STEP_BYTES)
            except zlib.error as error:
                raise UnreadableError("the answer is not packed as it says") from error
            packed = self._unpacker.unconsumed_tail

    async def aclose(self) -> None:
        await self._inner.aclose()


async def bound_body(response: httpx2.Response) -> None:
    """A response hook: put a bound on the body of a refusal, and of an answer to what we posted.

    A plain stream is bounded by whoever reads it; the results of a batch are as large as they are.

    Raises:
        UnreadableError: an answer is packed in a way that cannot be unpacked in steps.
    """
    inner, headers = response.stream, response.headers
    is_refusal = response.status_code >= 400
    encoding = headers.get("content-encoding", "identity").strip().lower()
    is_packed = encoding not in ("identity", "")
    if not isinstance(inner, httpx2.AsyncByteStream) or not (is_refusal or response.request.method == "POST"):
        return
    if not is_packed and not is_refusal and "event-stream" in headers.get("content-type", ""):
        return
    limit = MOST_REFUSAL_BYTES if is_refusal else MOST_STREAM_BYTES
    if is_packed:
        if encoding not in _UNPACKED and not is_refusal:
            raise UnreadableError(f"the answer is packed as {encoding[:20]!r}, which was not asked for")
        limit = limit if encoding in _UNPACKED else 0
        del headers["content-encoding"]
    response.stream = _BoundedBody(
        inner, limit, is_packed=is_packed and encoding in _UNPACKED, is_cut=is_refusal
    )
