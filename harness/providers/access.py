"""Whether a provider can be asked from this machine at all, found out without asking it."""

from harness.errors import ConfigError
from harness.providers.base import ProviderSettings
from harness.providers.registry import build_adapter


def access_problem(settings: ProviderSettings, model: str) -> str | None:
    """What is missing here: a package, a region, credentials; None when nothing is.

    Bedrock's credentials are looked for along the AWS SDK's whole chain, which may take a second.
    """
    try:
        build_adapter(settings, model)
    except ConfigError as error:
        return str(error)
    if settings.kind == "bedrock" and settings.api_key is None:
        from harness.providers.aws import credentials_problem  # noqa: PLC0415 - needs an extra

        return credentials_problem()
    return None
