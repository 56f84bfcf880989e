"""The HTTP service that answers with the pipeline."""

from harness.service.app import create_app
from harness.service.settings import ServiceSettings

__all__ = ["ServiceSettings", "create_app"]
