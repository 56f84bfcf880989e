"""Every provider's shape through the production path, and ten thousand usages of any shape."""

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from tests.providers.shapes.test_shapes import SHAPES, test_a_shape_is_read_priced_and_recorded

ROOT = Path(__file__).resolve().parents[2]
N_USAGES = 10_000


async def replay() -> tuple[dict[str, list[int]], list[str]]:
    """Shapes, cells and cells that hold by provider; and what does not hold."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    broken = []
    for shape in SHAPES:
        count = counts[shape.like]
        count[0] += 1
        for form in shape.forms:
            count[1] += 1
            try:
                await test_a_shape_is_read_priced_and_recorded(shape, form)
            except AssertionError as error:
                broken.append(f"{shape.wire}, {shape.like}, {shape.name}, {form}: {error}")
            else:
                count[2] += 1
    return counts, broken


def fuzz() -> subprocess.CompletedProcess[str]:
    """The fuzzed usages, streamed and whole, on both wires."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/providers/shapes/test_fuzzed.py"],
        cwd=ROOT,
        env={**os.environ, "FUZZED_USAGES": str(N_USAGES)},
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> int:
    """Print the table; exit 1 when a cell does not hold."""
    counts, broken = asyncio.run(replay())
    cells, held = sum(c[1] for c in counts.values()), sum(c[2] for c in counts.values())
    fuzzed = fuzz()
    print("# Providers' shapes\n")
    print(
        "Made-up recordings of what providers answer beside the plain shape, streamed and whole, through budget, "
        "adapter, retry, price book and ledger; each has its right text, tokens, cost, ending, served model, own "
        "bill, wait and id in `tests/providers/shapes/`.\n"
    )
    print(f"{held} of {cells} cells of {len(SHAPES)} shapes hold.\n")
    print("| like | shapes | cells | hold |\n|---|---|---|---|")
    for like, count in sorted(counts.items(), key=lambda item: item[0].lower()):
        print(f"| {like} | {count[0]} | {count[1]} | {count[2]} |")
    for problem in broken:
        print(f"\n- {problem}")
    print(
        f"\nFuzzed: {N_USAGES:,} usages of any type, sign and size, each a recorded call whose cost is known or has "
        "its reason; and 2,500 errors of any shape that echo the prompt, of which nothing shows."
        if fuzzed.returncode == 0
        else f"\nFuzzing FAILED:\n\n{fuzzed.stdout[-2000:]}"
    )
    return 1 if broken or fuzzed.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
