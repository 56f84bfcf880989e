#!/usr/bin/env bash
# DuckDB's fetchnumpy gives a column with a NULL as a masked array, and one without as a plain array. What follows
# the mask in NumPy is uneven: mean() leaves NULLs out, asarray() turns them into 0.0, and median() and percentile()
# count them as 0.0 too (median only warns). A latency that nobody measured becomes the fastest of all.
# Expected: NULL is not a number, or median() refuses. Seen with duckdb 2.0.0 and numpy 2.4.6 on Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.0 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import duckdb
import numpy as np

print("duckdb", duckdb.__version__, "numpy", np.__version__)
told = "SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i * 100.0::DOUBLE END AS ms FROM range(9) t(i)"
ms = duckdb.connect().execute(told).fetchnumpy()["ms"]
whole = duckdb.connect().execute("SELECT i * 100.0::DOUBLE AS ms FROM range(9) t(i)").fetchnumpy()["ms"]
seen = {
    "type with a NULL": type(ms).__name__,
    "type without": type(whole).__name__,
    "known values": ms.compressed().tolist(),
    "true median": float(np.median(ms.compressed())),
    "mean()": float(ms.mean()),
    "asarray()": np.asarray(ms).tolist(),
    "median()": float(np.median(ms)),
    "percentile(asarray(), 50)": float(np.percentile(np.asarray(ms), 50)),
}
for name, value in seen.items():
    print(f"{name}: {value}")
assert seen["type with a NULL"] == "MaskedArray"
assert seen["type without"] == "ndarray"
assert seen["true median"] == seen["mean()"] == 450.0
assert seen["asarray()"][0] == 0.0
assert seen["median()"] == seen["percentile(asarray(), 50)"] == 200.0
PYTHON
