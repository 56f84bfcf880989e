"""HTTP for adapters whose SDK hands no response over unread: it is sent, and read, by our own client."""

import httpx2

from harness.providers.sdk import SdkErrors


class PlainHttpError(Exception):
    """What went wrong before there was an answer."""


class RefusedError(PlainHttpError):
    """A status that says no. `response` has been read, up to the bound of refusals."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__(f"HTTP {response.status_code}")
        self.response = response
        self.status_code = response.status_code


PLAIN_ERRORS = SdkErrors(
    api=PlainHttpError,
    status=RefusedError,
    timeout=httpx2.TimeoutException,
    connection=httpx2.TransportError,
)


async def accepted(response: httpx2.Response) -> httpx2.Response:
    """The response, unread, of a status that says yes.

    Raises:
        RefusedError: any other status; the connection is free again.
    """
    if response.is_success:
        return response
    try:
        await response.aread()
    finally:
        await response.aclose()
    raise RefusedError(response)
