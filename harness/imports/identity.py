"""Which run an imported file is: the same for the same content, read in the same way, wherever it lies."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_HASHED_BYTES = 1024 * 1024


def imported_run_id(files: Iterable[Path], reading: object) -> str:
    """The run's id.

    Args:
        files: all that the run is made of, in order.
        reading: how they are read; two readings of one file are two runs.
    """
    digest = hashlib.sha256(repr(reading).encode())
    for path in files:
        with path.open("rb") as file:
            while piece := file.read(_HASHED_BYTES):
                digest.update(piece)
    return f"import-{digest.hexdigest()[:20]}"
