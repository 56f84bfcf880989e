"""CPU of short commands against an earlier build; the measuring is `benchmarks/startup`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run the benchmark; its exit code says whether the goals were met."""
    command = [sys.executable, str(ROOT / "benchmarks" / "startup" / "measure.py")]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
