"""CPU added by one orchestrated call over the bare SDK; the measuring is `benchmarks/overhead`.

`LITELLM_PYTHON` names an interpreter with the litellm package, to be measured beside it.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the benchmark; its exit code says whether the goal was met."""
    command = [sys.executable, str(ROOT / "benchmarks" / "overhead" / "measure.py")]
    litellm = os.environ.get("LITELLM_PYTHON")
    command += ["--litellm", litellm] if litellm else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
