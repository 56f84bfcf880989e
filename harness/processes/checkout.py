"""The commit that a run was made from."""

import subprocess
from pathlib import Path


def git_sha(folder: Path) -> str | None:
    """The commit of the checkout, or None outside one."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - whatever git the user has
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
