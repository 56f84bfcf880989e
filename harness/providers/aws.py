"""Access to Bedrock: where it is, and the signature of each request, both by the AWS SDK's own rules."""

import asyncio
from functools import cache
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import ConfigError
from harness.providers.base import ProviderSettings
from harness.providers.plain_http import PlainHttpError

_SERVICE, _SIGNED_AS = "bedrock-runtime", "bedrock"
_ANY_REGION = "us-east-1"
"""Signed for where a base URL is given and no region: a gateway, or the emulator."""


class SigningError(PlainHttpError):
    """A request could not be signed; the message is a clause."""


@cache
def _located(base_url: str | None) -> tuple[str, str]:
    session = boto3.Session()
    if base_url is not None:
        return base_url.rstrip("/"), session.region_name or _ANY_REGION
    if not session.region_name:
        raise ConfigError("AWS_DEFAULT_REGION", "is not set, and the AWS configuration names no region")
    try:
        client = session.client(
            _SERVICE,
            aws_access_key_id="unused",
            aws_secret_access_key="unused",  # noqa: S106 - only the endpoint is asked
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigError("AWS_DEFAULT_REGION", "names no region that AWS has") from error
    url: str = client.meta.endpoint_url
    return url.rstrip("/"), client.meta.region_name


def aws_endpoint(settings: ProviderSettings) -> tuple[str, str]:
    """The base URL of Bedrock's runtime, and the region that is signed for.

    Raises:
        ConfigError: no region is configured.
    """
    return _located(settings.base_url)


def credentials_problem() -> str | None:
    """What keeps requests from being signed with this machine's AWS credentials; None when nothing does."""
    try:
        frozen_credentials(None)
    except SigningError as error:
        return str(error)
    return None


class AwsAccess:
    """Signs with an API key of Bedrock where there is one, else with the machine's AWS credentials.

    Attributes:
        endpoint: base URL.
    """

    def __init__(self, settings: ProviderSettings) -> None:
        self.endpoint, self._region = aws_endpoint(settings)
        self._token = settings.api_key
        self._credentials: Any = None

    async def signed_headers(self, url: str, content: bytes) -> dict[str, str]:
        """The headers that make a POST of this body acceptable.

        Raises:
            SigningError: there are no credentials, or they cannot be refreshed.
        """
        if self._token is not None:
            return {"Authorization": f"Bearer {self._token}"}
        # The chain of credentials may ask files, processes and the machine's metadata service.
        self._credentials, frozen = await asyncio.to_thread(frozen_credentials, self._credentials)
        return _signature(frozen, self._region, url, content)


def frozen_credentials(known: Any) -> tuple[Any, Any]:
    """The machine's AWS credentials, and what of them signs now; they are refreshed where they expire.

    Args:
        known: as returned before; None looks for them.

    Raises:
        SigningError: there are none, or they cannot be refreshed.
    """
    try:
        credentials = boto3.Session().get_credentials() if known is None else known
        if credentials is None:
            raise SigningError("no AWS credentials were found, and no Bedrock API key is set")
        return credentials, credentials.get_frozen_credentials()
    except (BotoCoreError, ClientError) as error:
        raise SigningError(f"the AWS credentials cannot be used ({type(error).__name__})") from None


def _signature(frozen: Any, region: str, url: str, content: bytes) -> dict[str, str]:
    request = AWSRequest("POST", url, data=content, headers={"Content-Type": "application/json"})
    SigV4Auth(frozen, _SIGNED_AS, region).add_auth(request)
    return dict(request.headers.items())
