"""What the store costs: acknowledgements, six reading sessions, a million requests; see benchmarks/store."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    ("Acknowledged records, four writers", "goal: 5,000 records/s together, p99 under 5 ms", "spool_rate"),
    ("Six sessions reading while a baseline is recorded", "goal: at most 5 s behind, no error", "readers"),
    (
        "Up to a million requests",
        "goal at a million: ingest under 20 s, percentiles under 100 ms, Overview under 0.5 s",
        "million",
    ),
)


def main() -> int:
    """Print each table under its goal; exit 1 when one misses its goal, as its own exit code tells."""
    print("# What the store costs\n")
    failed = 0
    for title, goal, name in PARTS:
        print(f"## {title}\n\n{goal[0].upper()}{goal[1:]}.\n", flush=True)
        command = [sys.executable, "-m", f"benchmarks.store.{name}"]
        failed += subprocess.run(command, cwd=ROOT, check=False).returncode != 0
        print(flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
