"""The ruler against known latencies, moderate and stalled, with a closed loop beside it."""

import json
import subprocess
import sys
import tempfile


def main() -> int:
    """Print the table; exit 1 when a bound is broken."""
    with tempfile.TemporaryDirectory() as store:
        command = [sys.executable, "-m", "harness", "calibrate", "--store", store, "--json"]
        done = subprocess.run(command, capture_output=True, check=False)
    if not done.stdout:
        print(done.stderr.decode())
        return 1
    result = json.loads(done.stdout)
    print("# Calibration\n")
    print(f"{result['rps']:g} requests/s for {result['duration_s']:g} s; stall {result['stall_s']:g} s.\n")
    print("| measurement | percentile | truth ms | reported ms | error |\n|---|---|---|---|---|")
    for name in ("moderate", "stall", "closed_loop"):
        for item in result[name]:
            print(
                f"| {name} | p{item['q'] * 100:g} | {item['true_ms']:.1f} | {item['reported_ms']:.1f} "
                f"| {item['error_ratio']:+.2%} |"
            )
    even = result["gap_variation"] <= 0.05
    wrong = abs(result["closed_loop"][1]["error_ratio"]) > 0.5
    print(f"\nGap coefficient of variation {result['gap_variation']:.4f} (at most 0.05).")
    print(f"Generator lateness p99 {result['lateness_p99_ms']['moderate']:.2f} ms at the moderate rate.")
    print("The closed loop's p95 is off by more than half of the truth: coordinated omission.")
    return 0 if result["within_bounds"] and even and wrong else 1


if __name__ == "__main__":
    sys.exit(main())
