"""Identifiers: sortable by time, unique across processes, safe in file names and headers."""

import re

from ulid import ULID

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def new_id(prefix: str = "") -> str:
    """A fresh ULID, lower case, behind an optional prefix and a hyphen."""
    ulid = str(ULID()).lower()
    return f"{prefix}-{ulid}" if prefix else ulid


def is_valid_request_id(text: str) -> bool:
    """True for 1 to 128 characters of A-Z a-z 0-9 . _ : - (what a client may choose)."""
    return bool(_REQUEST_ID.fullmatch(text))
