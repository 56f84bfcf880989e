"""What the SDKs put off until their first request, done when an adapter is built instead.

Types are built on a canned stream, through the SDK itself; no connection is opened.
"""

import ssl
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import httpx2

from harness.records import dump_json


@cache
def tls_context() -> ssl.SSLContext:
    """The certificate authorities, loaded once a process: tens of milliseconds."""
    return httpx2.create_ssl_context()


def replaying(events: Iterable[Mapping[str, Any]]) -> httpx2.Client:
    """An HTTP client without a network: whatever it is asked, it answers with these server-sent events."""
    lines = [_event(event) for event in events]

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(
            200, headers={"content-type": "text/event-stream"}, content=b"".join(lines), request=request
        )

    return httpx2.Client(transport=httpx2.MockTransport(answer))


def _event(event: Mapping[str, Any]) -> bytes:
    name = b"event: " + str(event["type"]).encode() + b"\n" if "type" in event else b""
    return name + b"data: " + dump_json(event) + b"\n\n"
