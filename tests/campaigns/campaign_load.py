"""Generators side by side: CPU, memory, start; see benchmarks/load."""

import sys

from benchmarks.load import compare

if __name__ == "__main__":
    print("# Load generators side by side\n")
    sys.argv[1:] = ["20000"]
    sys.exit(compare.main())
