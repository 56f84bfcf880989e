"""The version, in one place: the build reads it, `/healthz` and every run record it."""

__version__ = "0.1.0"
