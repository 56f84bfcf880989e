"""What the reading commands cost at a million requests, beside the build of 79eddcd; see benchmarks/analysis."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Print the tables; exit 1 when a goal is missed, as the benchmark's own exit code tells."""
    print("# What reading costs\n", flush=True)
    print("Whole commands, this build and that of 79eddcd in turn on the same rows.", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.analysis.compare"], cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
