"""What clients put off until their first request, done when an adapter is built instead."""

import ssl
from functools import cache

import httpx2


@cache
def tls_context() -> ssl.SSLContext:
    """The certificate authorities, loaded once a process: tens of milliseconds."""
    return httpx2.create_ssl_context()
