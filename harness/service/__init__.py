"""The HTTP service that answers with the pipeline."""

from harness.service.app import ServiceApp, create_app
from harness.service.settings import ServiceSettings

__all__ = ["ServiceApp", "ServiceSettings", "create_app"]
