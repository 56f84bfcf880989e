"""What `requirements.txt` pins."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pinned() -> dict[str, str]:
    """Normalised name to version, in alphabetical order."""
    found = _PIN.findall((ROOT / "requirements.txt").read_text())
    return {normalised(name): version for name, version in sorted(found, key=lambda pin: pin[0].lower())}


def normalised(name: str) -> str:
    """A package's name as indexes write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
